// Reads a webhook with Pusher's own library for Node, as any backend would:
// node webhook.cjs KEY SECRET < {"headers": {...}, "rawBody": "..."}
const Pusher = require('pusher');
const [key, secret] = process.argv.slice(2);
const pusher = new Pusher({ appId: '1', key, secret, cluster: '' });
const webhook = pusher.webhook(JSON.parse(require('fs').readFileSync(0, 'utf8')));
if (!webhook.isValid()) {
	console.error('not valid');
	process.exit(1);
}
console.log(JSON.stringify({ time: webhook.getTime().getTime(), events: webhook.getEvents() }));
