// The example of multiwa.js with npm's ws: node multiwa.cjs HOST PORT KEY PROFILE
// It writes what the example logs to standard output, one JSON array a line.
const { readFileSync } = require('fs');
const { join } = require('path');
const { runInThisContext } = require('vm');
const WebSocket = require('ws');
const [host, port, key, profile] = process.argv.slice(2);
runInThisContext(readFileSync(join(__dirname, 'multiwa.js'), 'utf8'));
multiwaExample(WebSocket, `${host}:${port}`, key, profile, { log: (...what) => process.stdout.write(JSON.stringify(what) + '\n') });
process.stdin.on('end', () => process.exit(0)).resume();
