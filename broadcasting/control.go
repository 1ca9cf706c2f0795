package broadcasting

import (
	"context"
	"errors"
	"time"
)

// Errors of orders to other nodes.
var (
	// ErrUnanswered is returned by Control.Survey when not every node answered in time.
	// The missing nodes may or may not have carried out the order.
	ErrUnanswered = errors.New("broadcasting: not every node has answered")
	// ErrUnknownOrder is returned when a node, perhaps of another version, does not
	// know the order.
	ErrUnknownOrder = errors.New("broadcasting: a node does not know the order")
)

// Control asks the other nodes to do something. A node that is cut off from the others
// may miss orders, among them those that take access away. Orders are not repeated, so
// an implementation must disconnect the node's sockets when it finds that it was cut
// off.
//
// Every implementation must pass clustertest.Control.
type Control interface {
	// Attach is called once, before any other method. handle carries out the order of
	// another node. It may be called from any goroutine, and keeps o only during the
	// call. Its ctx ends when the asking node no longer waits. It is not called for an
	// order whose time is over.
	Attach(handle func(ctx context.Context, o Order) Answer)
	// Run works until ctx ends. After that, handle is no longer called.
	Run(ctx context.Context) error
	// Survey hands o to every other node and returns the answers in the order in which
	// they came. It returns when all nodes have answered, ctx has ended, or enough
	// returns true for an answer. A nil enough waits for all. With ErrUnanswered, the
	// answers are those received so far.
	Survey(ctx context.Context, o Order, enough func(Answer) bool) ([]Answer, error)
}

// OrderKind is the kind of an Order.
type OrderKind string

// Kinds of orders, with the fields of Order that each uses.
const (
	OrderGrant       OrderKind = "grant"        // Engine.Grant: App, SocketID, UserID, Session, Until, Channels (one), Data
	OrderIdentify    OrderKind = "identify"     // Engine.Identify: App, SocketID, UserID, Session, Until
	OrderUnsubscribe OrderKind = "unsubscribe"  // Engine.Unsubscribe: UserID, Channels
	OrderDisconnect  OrderKind = "disconnect"   // Engine.Disconnect: UserID; Engine.EndEarlierSessions: Session too
	OrderEndSession  OrderKind = "end_session"  // Engine.EndSession: UserID, Session
	OrderExtend      OrderKind = "extend"       // Engine.ExtendSession: UserID, Session, Until
	OrderTerminate   OrderKind = "terminate"    // Engine.Terminate: App, UserID
	OrderAppsChanged OrderKind = "apps_changed" // Engine.AppsChanged
	OrderReceived    OrderKind = "received"     // Engine.Received: App, SocketID, UserID, Channels (one)
)

// TakesAway reports whether the order takes access away from sockets: a node that was cut
// off, and may have missed one, must disconnect its sockets.
func (k OrderKind) TakesAway() bool {
	switch k {
	case OrderUnsubscribe, OrderDisconnect, OrderEndSession, OrderTerminate:
		return true
	}
	return false
}

// Order is what one node asks of the others.
type Order struct {
	Kind     OrderKind `json:"kind"`
	App      string    `json:"app,omitempty"`
	SocketID string    `json:"socket_id,omitempty"`
	UserID   string    `json:"user_id,omitempty"`
	Session  int64     `json:"session,omitempty"`
	Until    int64     `json:"until,omitempty"` // unix milliseconds; 0: no end
	Channels []string  `json:"channels,omitempty"`
	Data     string    `json:"data,omitempty"`
}

// owner returns the owner that the order names.
func (o Order) owner() Owner {
	w := Owner{UserID: o.UserID, Session: o.Session}
	if o.Until != 0 {
		w.Until = time.UnixMilli(o.Until)
	}
	return w
}

// ownerOrder returns an order that names the owner.
func ownerOrder(kind OrderKind, w Owner) Order {
	o := Order{Kind: kind, UserID: w.UserID, Session: w.Session}
	if !w.Until.IsZero() {
		o.Until = w.Until.UnixMilli()
	}
	return o
}

// Answer is the answer of a node to an Order.
type Answer struct {
	Found   bool `json:"found,omitempty"`   // of OrderGrant, OrderIdentify and OrderReceived: the socket is there, or was
	Refused bool `json:"refused,omitempty"` // of the first two: and it belongs to another user
	Sockets int  `json:"sockets,omitempty"` // of OrderTerminate: how many were closed
	Unknown bool `json:"unknown,omitempty"` // the node does not know this kind of order

	Seq       int64 `json:"seq,omitempty"` // of OrderReceived: the Progress
	Confirmed bool  `json:"confirmed,omitempty"`
}
