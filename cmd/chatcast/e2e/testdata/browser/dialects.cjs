// Clients that resume the line's events: pusher-js as in docs/resume.md, and MultiWA's
// WebSocket: node dialects.cjs HOST PORT TOKEN CHANNEL KEY LAST_EVENT_ID
// Each line of standard output is a JSON array: who, what, and what it is about. They leave
// when standard input ends.
const Pusher = require('pusher-js'), WebSocket = require('ws');
const [host, port, token, channel, key, last] = process.argv.slice(2);
const say = (...what) => process.stdout.write(JSON.stringify(what) + '\n');

function page() {
	const who = 'pusher-js', seen = { [channel]: Number(last) };
	const pusher = new Pusher('ChatsAppApiProdKey', {
		wsHost: host, wsPort: port, forceTLS: false, cluster: '', enabledTransports: ['ws'], disableStats: true,
		channelAuthorization: {
			transport: 'ajax', endpoint: `http://${host}:${port}/broadcasting/auth`, headers: { Authorization: token },
			paramsProvider: () => ({ last_event_ids: JSON.stringify(seen) }),
		},
	});
	pusher.connection.bind('message', ({ channel: of, event, data }) => {
		if (of !== channel) return;
		const id = event === 'chatcast:position' ? data.eventId : data?.payload?.meta?.eventId;
		if (id >= seen[channel]) seen[channel] = id;
		if (event === 'chatcast:position') say(who, 'begun');
		if (event === 'chatcast:resume_failed') say(who, 'problem', event);
		if (event === 'message') for (const { id, message } of data.payload.data) say(who, 'message', id, message.text ?? '');
		if (event === 'messageEdit') for (const { id, message } of data.payload.data) say(who, 'edited', id, message.text ?? '');
		if (event === 'messageStatus') for (const { id, type } of data.payload.data) say(who, 'status', id, type);
	});
	pusher.subscribe(channel).bind('pusher:subscription_error', () => {
		// The program ends or begins: as a page does, try the connection again.
		pusher.disconnect();
		setTimeout(() => pusher.connect(), 200);
	});
}

function multiwa() {
	const who = "MultiWA's WebSocket";
	let seen = Number(last);
	// true_79995554433@c.us_ID, and in groups false_GROUP@g.us_ID_PERSON@c.us
	const bare = (id) => id.split('_')[2];
	const connect = () => {
		const ws = new WebSocket(`ws://${host}:${port}/ws?apiKey=${key}`);
		ws.on('error', () => {}); // it closes, too
		ws.on('close', () => setTimeout(connect, 200));
		ws.on('open', () => ws.send(JSON.stringify({ type: 'subscribe', payload: { events: ['*'], lastEventId: seen } })));
		ws.on('message', (text) => {
			const { type, payload } = JSON.parse(text);
			if (type === 'error') say(who, 'problem', payload.error);
			if (payload.action === 'replayed') say(who, 'begun');
			if (type !== 'event') return;
			if (payload.eventId > seen) seen = payload.eventId;
			if (payload.event === 'message.received' || payload.event === 'message.sent') say(who, 'message', bare(payload.data.id), payload.data.body);
			if (payload.event === 'message.ack') say(who, 'status', bare(payload.data.messageId), payload.data.status);
		});
	};
	connect();
}

page();
multiwa();
process.stdin.on('end', () => process.exit(0)).resume();
