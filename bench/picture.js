// The picture, drawn from the figures alone: CPU time per request, one group of
// bars per case. Colours follow the reader's light or dark scheme.
import { cases } from './cases.js'
import { variants } from './variants.js'

const SHOWN = ['untouched', 'read', 'write', 'first-write', 'large']
const WIDTH = 860
const LEFT = 250
const RIGHT = 90
const BAR = 15
const GAP = 4

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .head { font-weight: 600; font-size: 13px }
  .note, .value { fill: #59636e }
  .limit { fill: #8c959f } .keep { fill: #0969da } .peer { fill: #d4a72c }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .note, .value { fill: #9198a1 }
    .limit { fill: #656c76 } .keep { fill: #4493f8 } .peer { fill: #bb8009 }
  }`

export function drawPicture ({ requests }) {
  const groups = SHOWN.map((name) => ({
    title: cases.find((each) => each.name === name).title,
    bars: variants.filter((variant) => requests[name][variant.name] !== undefined)
      .map((variant) => ({ ...variant, cpu: requests[name][variant.name].cpu }))
  }))
  const longest = Math.max(...groups.flatMap(({ bars }) => bars.map(({ cpu }) => cpu)))
  const scale = (WIDTH - LEFT - RIGHT) / longest

  const parts = ['<text class="head" x="0" y="14">CPU time of the server per request, in microseconds; shorter is better</text>']
  let y = 32
  for (const { title, bars } of groups) {
    parts.push(`<text class="head" x="0" y="${y + 12}">${escape(title)}</text>`)
    y += BAR + GAP
    for (const { name, title, cpu } of bars) {
      const width = Math.max(1, cpu * scale).toFixed(1)
      parts.push(
        `<text class="note" x="${LEFT - 8}" y="${y + 12}" text-anchor="end">${escape(title)}</text>`,
        `<rect class="${colour(name)}" x="${LEFT}" y="${y}" width="${width}" height="${BAR}" rx="2"/>`,
        `<text class="value" x="${LEFT + Number(width) + 6}" y="${y + 12}">${cpu.toFixed(1)}</text>`
      )
      y += BAR + GAP
    }
    y += 2 * GAP
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" role="img" aria-label="CPU time per request of session libraries for Fastify">
<style>${STYLE}
</style>
${parts.join('\n')}
</svg>
`
}

function colour (name) {
  if (name === 'limit') return 'limit'
  return name.startsWith('keep') ? 'keep' : 'peer'
}

function escape (text) {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;')
}
