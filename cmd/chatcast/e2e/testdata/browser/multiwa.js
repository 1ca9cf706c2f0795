// The client example of MultiWA's documentation of its WebSocket, unchanged but for the
// address, the key and the profile. Node.js and browsers run it, see multiwa.cjs and
// multiwa.html; console.log tells the test what happens.
function multiwaExample(WebSocket, address, key, profile, console) {
const ws = new WebSocket(`ws://${address}/ws?apiKey=${key}`);
let pingInterval;

ws.onopen = () => {
  console.log('Connected');
  
  // Subscribe to events
  ws.send(JSON.stringify({
    type: 'subscribe',
    payload: {
      profileId: profile,
      events: ['message.received', 'session.status']
    },
    requestId: 'sub_001'
  }));

  // Keep-alive ping every 30s
  pingInterval = setInterval(() => {
    ws.send(JSON.stringify({ type: 'ping', requestId: `ping_${Date.now()}` }));
  }, 30000);
};

ws.onmessage = (event) => {
  const msg = JSON.parse(event.data);
  
  if (msg.type === 'event') {
    console.log('Event:', msg.payload.event, msg.payload.data);
  } else if (msg.type === 'ack') {
    console.log('Ack:', msg.payload);
  }
};

ws.onclose = () => {
  if (pingInterval) clearInterval(pingInterval);
  console.log('Disconnected');
};
}
