// Pages of stock libraries that resume the channel of a line, and are loaded again when a
// library gives up, and one with an EventSource: node chaos.cjs HOST PORT TOKEN CHANNEL LAST_EVENT_ID NAMES
// Each line of standard output is a JSON array: the page, what happened, and a value. The
// pages leave when standard input ends.
const eight = require('pusher-js'), seven = require('pusher-js-7');
const [host, port, token, channel, last, names] = process.argv.slice(2);
const say = (...what) => process.stdout.write(JSON.stringify(what) + '\n');
const headers = { Authorization: token }, endpoint = `http://${host}:${port}/broadcasting/auth`;

function open(name, make) {
	const seen = { [channel]: Number(last) }; // a page keeps it in its storage
	let current; // the client of the page as it was loaded last
	const load = () => {
		const client = make({
			cluster: '', wsHost: host, wsPort: port, forceTLS: false, disableStats: true, enabledTransports: ['ws'],
			activityTimeout: 5000, pongTimeout: 3000, unavailableTimeout: 3000,
		}, () => JSON.stringify(seen));
		current = client;
		client.connection.bind('message', ({ channel: of, event, data }) => {
			if (of !== channel || client !== current) return;
			if (event === 'chatcast:resume_failed') say(name, 'resume_failed', data);
			const id = event === 'chatcast:position' ? data.eventId : data?.payload?.meta?.eventId;
			if (id >= seen[channel]) seen[channel] = id;
			if (id !== undefined && event !== 'chatcast:position') say(name, 'event', id);
		});
		client.connection.bind('connected', () => say(name, 'socket', client.connection.socket_id));
		client.subscribe(channel).bind('pusher:subscription_error', () => {
			// A node that ends, or a connection that breaks, refuses by accident: as a page
			// does, try the connection again.
			setTimeout(() => {
				if (client !== current) return;
				client.disconnect();
				client.connect();
			}, 300);
		});
		client.connection.bind('state_change', (state) => {
			if (state.current !== 'failed' || client !== current) return;
			current = undefined;
			client.disconnect();
			say(name, 'loaded again', 0);
			setTimeout(load, 300);
		});
	};
	load();
}

open('pusher-js 8', (options, params) => new eight('ChatsAppApiProdKey', {
	...options, channelAuthorization: { transport: 'ajax', endpoint, headers, paramsProvider: () => ({ last_event_ids: params() }) },
}));
open('pusher-js 7', (options, params) => new seven('ChatsAppApiProdKey', {
	...options, authEndpoint: endpoint, auth: { headers, params: { get last_event_ids() { return params(); } } },
}));
import('laravel-echo').then(({ default: Echo }) => open('Laravel Echo', (options, params) => new Echo({
	...options, broadcaster: 'pusher', Pusher: eight, key: 'ChatsAppApiProdKey', authEndpoint: endpoint,
	auth: { headers, params: { get last_event_ids() { return params(); } } },
}).connector.pusher));

// The EventSource of Node.js is that of browsers: it comes back by itself after a cut, and
// gives up when it is refused. Then the page gets another ticket, as docs/crm-api.md says.
// Unlike browsers it also gives up when a connection ends before its answer, without a
// further event: the page looks a moment after each.
let seen = last;
async function listen() {
	let left = false;
	const again = () => { if (!left) setTimeout(listen, 1000); left = true; }, name = 'EventSource', query = 'channel=' + channel + '&after=' + seen;
	let ticket;
	try {
		const answer = await fetch(`http://${host}:${port}/v1/events/tickets`, {
			method: 'POST', headers: { ...headers, 'Content-Type': 'application/json' }, body: JSON.stringify({ channel }), signal: AbortSignal.timeout(5000),
		});
		({ data: { ticket } } = await answer.json());
	} catch {
		return again();
	}
	const events = new EventSource(`http://${host}:${port}/v1/events/stream?${query}&ticket=${ticket}`);
	events.onopen = () => say(name, 'socket', '');
	for (const event of JSON.parse(names)) events.addEventListener(event, (e) => say(name, 'event', Number(seen = e.lastEventId)));
	events.addEventListener('chatcast:position', (e) => { seen = e.lastEventId; });
	events.addEventListener('chatcast:resume_failed', (e) => say(name, 'resume_failed', e.data));
	events.onerror = () => setTimeout(() => { if (events.readyState === EventSource.CLOSED) again(); }, 100);
}
listen();

process.stdin.on('end', () => process.exit(0)).resume();
