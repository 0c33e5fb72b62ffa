// Changes the code in small ways and runs the pure tests against each change: one
// that no test notices survives.
// Version 9 of Stryker is the newest that runs on every Node.js this package runs on.
export default {
  mutate: ['lib/record/*.ts', 'lib/session/*.ts', 'lib/store/*.ts'],
  testRunner: 'tap',
  tap: {
    testFiles: ['test/{record,session,store}/*.test.ts'],
    nodeArgs: ['--import=./test/strip-types.js', '-r', '{{hookFile}}', '{{testFile}}']
  },
  reporters: ['clear-text', 'html', 'json'],
  clearTextReporter: { reportTests: false },
  htmlReporter: { fileName: '.mutants/report.html' },
  jsonReporter: { fileName: '.mutants/report.json' },
  tempDirName: '.mutants/sandboxes',
  // a mutant takes a process for each test file, and another one would take its time away
  concurrency: 1
}
