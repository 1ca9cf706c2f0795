package broadcasting

import (
	"context"
	"errors"
)

// Errors of what other nodes are asked for.
var (
	// ErrUnanswered is what Control.Survey returns when not every node answered in
	// time. Whether those that are missing did what was asked is not known.
	ErrUnanswered = errors.New("broadcasting: not every node has answered")
	// ErrUnknownOrder is returned when a node, of another version perhaps, does not
	// know what it was asked for.
	ErrUnknownOrder = errors.New("broadcasting: a node does not know the order")
)

// Control asks the other nodes to do something. A node that is cut off from the others
// may miss orders, among them those that take access away: an implementation must
// disconnect the node's sockets when it finds that, for nobody repeats the orders.
//
// An implementation passes clustertest.Control.
type Control interface {
	// Attach is called once, before anything else. handle does what another node
	// asks for; it is called from any goroutine, and keeps o only during the call.
	// Its ctx ends when the asking node no longer waits, and it is not called for an
	// order whose time is over.
	Attach(handle func(ctx context.Context, o Order) Answer)
	// Run works until ctx ends. This node is asked nothing more then.
	Run(ctx context.Context) error
	// Survey hands o to every other node and returns their answers, in the order in
	// which they came, when all have answered, ctx has ended, or enough says of an
	// answer that no other is needed; nil: all are. With ErrUnanswered the answers are
	// those that have come.
	Survey(ctx context.Context, o Order, enough func(Answer) bool) ([]Answer, error)
}

// OrderKind is what a node is asked to do.
type OrderKind string

// Kinds of orders, with the fields of Order that each uses.
const (
	OrderGrant       OrderKind = "grant"        // Engine.Grant: App, SocketID, UserID, Channels (one)
	OrderIdentify    OrderKind = "identify"     // Engine.Identify: App, SocketID, UserID
	OrderUnsubscribe OrderKind = "unsubscribe"  // Engine.Unsubscribe: UserID, Channels
	OrderDisconnect  OrderKind = "disconnect"   // Engine.Disconnect: UserID
	OrderTerminate   OrderKind = "terminate"    // Engine.Terminate: App, UserID
	OrderRemoveApp   OrderKind = "remove_app"   // Engine.RemoveApp: App
	OrderAppsChanged OrderKind = "apps_changed" // Engine.AppsChanged
)

// Order is what one node asks of the others.
type Order struct {
	Kind     OrderKind `json:"kind"`
	App      string    `json:"app,omitempty"`
	SocketID string    `json:"socket_id,omitempty"`
	UserID   string    `json:"user_id,omitempty"`
	Channels []string  `json:"channels,omitempty"`
}

// Answer is what a node says to an Order.
type Answer struct {
	Found   bool `json:"found,omitempty"`   // of OrderGrant and OrderIdentify: the socket is there
	Sockets int  `json:"sockets,omitempty"` // of OrderTerminate: how many were closed
	Unknown bool `json:"unknown,omitempty"` // the node does not know this kind of order
}
