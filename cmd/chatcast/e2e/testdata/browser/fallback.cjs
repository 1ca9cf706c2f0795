// A page of pusher-js that does what it is told, with one transport alone:
// node fallback.cjs HOST PORT TRANSPORT TOKEN
// It reads commands from standard input, one JSON array a line, and writes what
// happens to standard output in the same way.
const { createInterface } = require('readline');
const Pusher = require('pusher-js/node');
const [host, port, transport, token] = process.argv.slice(2);
const say = (...what) => process.stdout.write(JSON.stringify(what) + '\n');
const pusher = new Pusher('ChatsAppApiProdKey', {
	cluster: '', httpHost: host, httpPort: port, forceTLS: false, enabledTransports: [transport],
	channelAuthorization: { endpoint: `http://${host}:${port}/broadcasting/auth`, headers: { Authorization: token } },
});
pusher.connection.bind('state_change', ({ current }) => say('state', current, pusher.connection.socket_id ?? ''));
pusher.connection.bind('error', (error) => say('error', error));
pusher.bind_global((event, data) => { if (event.startsWith('e')) say('event', event, data); });
const commands = {
	subscribe(name) {
		const channel = pusher.subscribe(name);
		channel.bind('pusher:subscription_succeeded', (data) => say('in', name, data?.count ?? 0));
		channel.bind('pusher:subscription_error', (error) => say('refused', name, error.status));
		channel.bind('client-typing', (data) => say('client-typing', name, data));
		channel.bind('pusher:member_removed', (member) => say('left', name, member.id));
	},
	unsubscribe: (name) => pusher.unsubscribe(name),
	trigger: (name, event, data) => say('triggered', pusher.channel(name).trigger(event, data)),
	disconnect: () => pusher.disconnect(),
};
createInterface({ input: process.stdin })
	.on('line', (line) => { const [command, ...args] = JSON.parse(line); commands[command](...args); })
	.on('close', () => process.exit(0));
