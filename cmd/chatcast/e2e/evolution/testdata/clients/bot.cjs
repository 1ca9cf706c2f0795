// A bot as people write them for Evolution API 2: it creates its instance, shows the code to
// scan, greets somebody with a text and a picture when it is connected, and answers what it
// receives. Events come by Socket.IO, and again by webhook.
//
// Moving it to chatcast changed the two values of the environment, and one line, which is marked:
// the socket needs the key.
const axios = require("axios");
const http = require("node:http");
const { io } = require("socket.io-client");

const { EVOLUTION_URL, EVOLUTION_KEY, WEBHOOK_PORT = "0", WEBHOOK_HOST = "127.0.0.1", GREET } = process.env;
const instance = "bot";
const api = axios.create({ baseURL: EVOLUTION_URL, headers: { apikey: EVOLUTION_KEY } });
const say = (...what) => console.log(JSON.stringify(what));

const picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

async function send(path, body) {
  const { data } = await api.post(`/message/${path}/${instance}`, body);
  say("sent", path, data.key.id, data.status, data.messageType);
}

async function greet() {
  await send("sendText", { number: GREET, text: "Hello, I am a bot", delay: 50 });
  await send("sendMedia", { number: GREET, mediatype: "image", mimetype: "image/png", media: picture, fileName: "dot.png", caption: "a dot" });
}

function onMessage({ key, pushName, message, messageType }) {
  if (key.fromMe || key.remoteJid.endsWith("@g.us")) return;
  const text = message.conversation ?? message.extendedTextMessage?.text;
  say("received", key.remoteJid, pushName, messageType, text ?? null);
  if (text === "stop") return shutDown();
  if (text) return send("sendText", { number: key.remoteJid, text: `You said: ${text}`, quoted: { key: { id: key.id } } });
}

function listen() {
  const socket = io(`${EVOLUTION_URL}/${instance}`, {
    transports: ["websocket"],
    auth: { apikey: EVOLUTION_KEY }, // new: Evolution lets clients of the same machine in without it
  });
  socket.on("connect", () => say("listening"));
  socket.on("connect_error", (error) => say("connect_error", error.message));
  socket.on("qrcode.updated", ({ data }) => say("code", data.qrcode.code));
  socket.on("connection.update", ({ data }) => {
    say("state", data.state);
    if (data.state === "open") greet().catch(fail);
  });
  socket.on("messages.upsert", ({ data }) => onMessage(data)?.catch(fail));
  socket.on("messages.update", ({ data }) => say("status", data.keyId, data.status));
  return socket;
}

const hook = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    const { event, instance: of, data } = JSON.parse(Buffer.concat(parts));
    say("hook", event, of, data.message?.conversation ?? null);
    response.end("ok");
  });
});

let socket;
async function shutDown() {
  await api.delete(`/instance/logout/${instance}`);
  await api.delete(`/instance/delete/${instance}`);
  socket.disconnect();
  hook.close();
  say("stopped");
}

function fail(error) {
  console.error(error.response?.status, JSON.stringify(error.response?.data ?? error.message));
  process.exit(1);
}

async function main() {
  await new Promise((done) => hook.listen(Number(WEBHOOK_PORT), WEBHOOK_HOST, done));
  const url = `http://${WEBHOOK_HOST}:${hook.address().port}/hook`;
  const { data } = await api.post("/instance/create", {
    instanceName: instance, integration: "WHATSAPP-BAILEYS", groupsIgnore: true,
    webhook: { url, byEvents: false, base64: false, events: ["MESSAGES_UPSERT"] },
  });
  say("created", data.instance.instanceName, data.instance.status);
  socket = listen();
  await new Promise((done) => socket.once("connect", done));
  const { data: code } = await api.get(`/instance/connect/${instance}`);
  say("connect", Boolean(code.base64), code.count);
}

main().catch(fail);
