package socketio

import "chatcast/server"

// Reasons of this dialect for which a connection ends. None of them is told as a
// DISCONNECT packet: clients would not come back.
const (
	noNamespace  server.Reason = "no_namespace"  // it entered none in time
	notUpgraded  server.Reason = "not_upgraded"  // a WebSocket was tried, and not used
	sessionEnded server.Reason = "session_ended" // a WebSocket was tried for a session that has ended
	unavailable  server.Reason = "unavailable"   // Rooms or History could not answer
	cutOff       server.Reason = "cut_off"       // this node may not know that an access has ended
	keyFull      server.Reason = "key_full"      // the key has too many namespaces
	behind       server.Reason = "behind"        // what it has missed is no longer kept
)

// closeCodes are the codes of WebSocket close frames. Clients show them, and come back
// whatever they are.
var closeCodes = map[server.Reason]int{
	server.PeerClosed: 1000, server.Stopping: 1001, server.Moved: 1001, server.ProtocolError: 1002,
	server.Flood: 1008, server.SlowConsumer: 1013, server.AddressFull: 1013, keyFull: 1013, unavailable: 1013,
	noNamespace: 1008, notUpgraded: 1008, sessionEnded: 1008, cutOff: 1012, behind: 1012,
}

// disconnect returns how a transport ends for a reason. A client that is silent is not
// told: its session is unknown at once, as other servers do it.
func disconnect(r server.Reason) server.Disconnect {
	if r == server.Silent {
		return server.Disconnect{Reason: r}
	}
	code := closeCodes[r]
	if code == 0 {
		code = 1011
	}
	return server.Disconnect{Reason: r, Code: code, Message: string(r)}
}
