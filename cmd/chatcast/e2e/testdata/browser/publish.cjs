// Publishes one event with Pusher's own library for Node, as any backend would:
// node publish.cjs HOST PORT SECRET CHANNEL
const Pusher = require('pusher');
const [host, port, secret, channel] = process.argv.slice(2);
const pusher = new Pusher({ appId: '1', key: 'ChatsAppApiProdKey', secret, host, port, useTLS: false, cluster: '' });
pusher.trigger(channel, 'shipped', { order: 7 })
	.then((res) => res.text())
	.then((body) => console.log(body), (err) => { console.error(String(err)); process.exit(1); });
