// VitePress's search calls its box a button, and puts a link into each option of its list, under a name that is
// not what one reads. Here the box is a dialog, each option is a link, and keys that are pictures say so.
const CHANGES = [
  [/role="button"\s+:aria-owns="[^"]+"\s+aria-expanded="true"\s+aria-haspopup="listbox"/, 'role="dialog" aria-modal="true"'],
  [/:id="'localsearch-item-' \+ index"\s+:aria-selected="[^"]+"\s+role="option"/, 'role="presentation"'],
  [/:aria-label="\[\.\.\.p\.titles, p\.title\]\.join\(' > '\)"/, ':id="\'localsearch-item-\' + index" role="option" :aria-selected="selectedIndex === index ? \'true\' : \'false\'"'],
  [/<kbd :aria-label=/g, '<kbd role="img" :aria-label=']
]

/** A plugin of Vite. Fails where a newer VitePress has nothing to change any more. */
export function accessibleSearch () {
  return {
    name: 'accessible-search',
    enforce: 'pre',
    transform (code, id) {
      if (!id.endsWith('/VPLocalSearchBox.vue')) return
      return CHANGES.reduce((text, [part, instead]) => {
        const changed = text.replace(part, instead)
        if (changed === text) throw new Error(`${id} has changed: look at docs/.vitepress/search-box.js`)
        return changed
      }, code)
    }
  }
}
