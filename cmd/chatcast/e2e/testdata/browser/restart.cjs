// Pages of pusher-js 7 and 8 on one presence channel, which say what a restart of the
// server does to them: node restart.cjs HOST PORT KEY SECRET COUNT
// Each line of standard output is a JSON object: who, what, at (ms) and value. The pages
// leave when standard input ends.
const { createHmac } = require('crypto');
const libraries = [require('pusher-js-7'), require('pusher-js')];
const [host, port, key, secret, count] = process.argv.slice(2);
const say = (who, what, value) => process.stdout.write(JSON.stringify({ who, what, at: Date.now(), value }) + '\n');

// Of ten pages eight have WebSockets, one streams and one polls.
const transportOf = (who) => ({ 8: 'xhr_streaming', 9: 'xhr_polling' })[who % 10] ?? 'ws';

const pages = Array.from({ length: Number(count) }, (_, who) => {
	// Each transport has pages of both libraries.
	const Pusher = libraries[Math.floor(who / 10) % 2];
	const page = new Pusher(key, {
		cluster: '', wsHost: host, wsPort: port, httpHost: host, httpPort: port, forceTLS: false, disableStats: true,
		enabledTransports: [transportOf(who)],
		authorizer: (channel) => ({
			authorize(socketId, done) {
				const channel_data = JSON.stringify({ user_id: String(who) });
				const signature = createHmac('sha256', secret).update(`${socketId}:${channel.name}:${channel_data}`).digest('hex');
				done(null, { auth: `${key}:${signature}`, channel_data });
			},
		}),
	});
	page.connection.bind('state_change', ({ current }) => say(who, 'state', current));
	page.connection.bind('connecting_in', (seconds) => say(who, 'connecting_in', seconds));
	page.connection.bind('error', (error) => say(who, 'error', error.data?.code ?? error.error?.data?.code ?? 0));
	// Every attempt to open a connection is in the library's own record.
	const attempts = () => page.timeline.events.filter(({ cid, state }) => cid !== undefined && state === 'connecting').length;
	page.subscribe('presence-room').bind('pusher:subscription_succeeded', () => say(who, 'joined', attempts()));
	return page;
});
process.stdin.on('end', () => { pages.forEach((page) => page.disconnect()); process.exit(0); }).resume();
