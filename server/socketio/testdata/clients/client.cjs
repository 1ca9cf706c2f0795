// A client of Socket.IO for the tests. Its argument says where and how it connects. It
// prints what happens, a JSON array a line, and does what comes on its standard input,
// which is written likewise.
const { io } = require("socket.io-client");

const { url, options } = JSON.parse(process.argv[2]);
const say = (...what) => process.stdout.write(JSON.stringify(what) + "\n");

const socket = io(url, { reconnectionDelay: 50, reconnectionDelayMax: 200, ...options });
const engine = () => socket.io.engine;

socket.on("connect", () => say("connect", socket.recovered, engine().transport.name));
socket.on("disconnect", (reason) => say("disconnect", reason));
socket.on("connect_error", (error) => say("connect_error", error.message, error.data ?? null, socket.active));
socket.onAny((event, ...args) => say("event", event, ...args));
socket.io.on("open", () => engine().on("upgrade", (transport) => say("upgrade", transport.name)));

let paused; // the WebSocket that is no longer read

const actions = {
  async emit(event, ...args) {
    try {
      say("ack", await socket.timeout(10_000).emitWithAck(event, ...args));
    } catch (error) {
      say("ack", error.message);
    }
  },
  pause() {
    paused = engine().transport.ws;
    paused.pause();
    say("paused");
  },
  resume: () => paused.resume(),
  break: () => engine().transport.ws._socket.destroy(),
};

require("node:readline")
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    const [action, ...args] = JSON.parse(line);
    actions[action](...args);
  })
  .on("close", () => {
    socket.disconnect();
    process.exit(0);
  });
