// Pages of stock libraries that resume the channel of a line, and are loaded again when a
// library gives up: node chaos.cjs HOST PORT TOKEN CHANNEL LAST_EVENT_ID
// Each line of standard output is a JSON array: the page, what happened, and a value. The
// pages leave when standard input ends.
const eight = require('pusher-js'), seven = require('pusher-js-7');
const [host, port, token, channel, last] = process.argv.slice(2);
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
process.stdin.on('end', () => process.exit(0)).resume();
