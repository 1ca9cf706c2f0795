package broadcasting_test

import (
	"context"
	"errors"
	"testing"

	"chatcast/broadcasting"
)

// TestAccessOnTwoNodes asks for access on one node while the socket is on the other.
// The subscription has a user, and ends when the access does.
func TestAccessOnTwoNodes(t *testing.T) {
	onTwoNodes(t, func(t *testing.T, a, b *broadcasting.Engine, _ func()) {
		m := connect(t, b, "1", "m", words(""))
		if grant(t, a, "1", "nobody", "private-l", "7") || grant(t, a, "2", "m", "private-l", "7") || identify(t, a, "1", "nobody", "7") {
			t.Error("a socket that no node has was granted something")
		}
		if !grant(t, a, "1", "m", "private-l", "7") || m.User() != "7" {
			t.Errorf("the owner of the other node's socket is %q", m.User())
		}
		join(t, m, "private-l")
		m.take()
		unsubscribe(t, a, "7", "private-l")
		expect(t, m, "revoked private-l")
		if err := m.Subscribe(t.Context(), want(t, "private-l")); !errors.Is(err, broadcasting.ErrRevoked) {
			t.Errorf("the old signature: %v", err)
		}
		if !grant(t, a, "1", "m", "private-l", "7") {
			t.Error("not granted anew")
		}
		join(t, m, "private-l")
		other := connect(t, b, "1", "o", words(""))
		if !identify(t, a, "1", "o", "8") {
			t.Error("not identified")
		}
		disconnect(t, a, "8")
		if other.disconnected != broadcasting.AccessEnded || m.disconnected != 0 {
			t.Errorf("disconnected: %v, %v", other.disconnected, m.disconnected)
		}
		join(t, m, "cache-a")
		publish(t, a, broadcasting.Event{App: "1", Channel: "cache-a", Name: "e", Data: "x"})
		removeApp(t, a, "1")
		if m.Channels() == 0 {
			t.Error("an app that one node has removed ends the sockets of another node, which may have it again")
		}
		removeApp(t, b, "1")
		if _, _, ok := cachedOf(t, b, "1", "cache-a"); ok || m.Channels() != 0 {
			t.Errorf("of the removed app are left: a cached event %v, %d channels", ok, m.Channels())
		}
	})
}

// A grant whose caller no longer waits has no effect: otherwise a permission that was
// withdrawn meanwhile would return.
func TestGrantTooLate(t *testing.T) {
	onTwoNodes(t, func(t *testing.T, a, b *broadcasting.Engine, _ func()) {
		m := connect(t, b, "1", "m", words(""))
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if found, err := a.Grant(over, "1", "m", broadcasting.Owner{UserID: "7"}, "private-l", ""); found || !errors.Is(err, broadcasting.ErrUnanswered) {
			t.Errorf("Grant: %v, %v", found, err)
		}
		if found, err := b.Grant(over, "1", "m", broadcasting.Owner{UserID: "7"}, "private-l", ""); found || err != nil && !errors.Is(err, broadcasting.ErrUnanswered) {
			t.Errorf("Grant of a socket that is here: %v, %v", found, err)
		}
		if found, err := b.Identify(over, "1", "m", broadcasting.Owner{UserID: "7"}); found || err != nil && !errors.Is(err, broadcasting.ErrUnanswered) {
			t.Errorf("Identify of a socket that is here: %v, %v", found, err)
		}
		if m.User() != "" {
			t.Errorf("the socket is %q's", m.User())
		}
	})
}

// stranger is a control with another node of a different version.
type stranger struct{ broadcasting.Control }

func (stranger) Survey(context.Context, broadcasting.Order, func(broadcasting.Answer) bool) ([]broadcasting.Answer, error) {
	return []broadcasting.Answer{{Unknown: true}}, nil
}

func TestNodeOfAnotherVersion(t *testing.T) {
	m := broadcasting.NewMemory(broadcasting.MemoryOptions{})
	e := broadcasting.NewEngine(broadcasting.Options{Control: stranger{m.Control()}})
	_, grantErr := e.Grant(t.Context(), "1", "elsewhere", broadcasting.Owner{UserID: "7"}, "private-l", "")
	_, terminateErr := e.Terminate(t.Context(), "1", "7")
	for name, err := range map[string]error{
		"Grant": grantErr, "Terminate": terminateErr, "Unsubscribe": e.Unsubscribe(t.Context(), "7", "private-l"),
		"Disconnect":         e.Disconnect(t.Context(), "7"),
		"EndEarlierSessions": e.EndEarlierSessions(t.Context(), "7", 1),
		"EndSession":         e.EndSession(t.Context(), "7", 1), "ExtendSession": e.ExtendSession(t.Context(), broadcasting.Owner{UserID: "7", Session: 1}),
	} {
		if !errors.Is(err, broadcasting.ErrUnknownOrder) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAppsChangedElsewhere(t *testing.T) {
	m := broadcasting.NewMemory(broadcasting.MemoryOptions{})
	var engines []*broadcasting.Engine
	heard := make([]int, 2)
	for i := range heard {
		e := broadcasting.NewEngine(broadcasting.Options{Broker: m.Broker(), Presence: m.Presence(), Control: m.Control()})
		e.OnAppsChanged(func(context.Context) { heard[i]++ })
		engines = append(engines, e)
	}
	if err := engines[0].AppsChanged(t.Context()); err != nil || heard[0] != 0 || heard[1] != 1 {
		t.Errorf("heard %v, %v", heard, err)
	}
}

// deaf is a control whose other nodes do not answer, and a presence that does not hear
// them.
type deaf struct {
	broadcasting.Control
	broadcasting.Presence
}

var errDeaf = errors.New("deaf")

func (deaf) Survey(context.Context, broadcasting.Order, func(broadcasting.Answer) bool) ([]broadcasting.Answer, error) {
	return []broadcasting.Answer{{Sockets: 1}}, broadcasting.ErrUnanswered
}
func (deaf) Complete(context.Context) error  { return errDeaf }
func (d deaf) Run(ctx context.Context) error { return d.Control.Run(ctx) }
func (d deaf) attachControl(h func(context.Context, broadcasting.Order) broadcasting.Answer) {
	d.Control.Attach(h)
}

// controlOf and presenceOf separate the two Attach methods of deaf.
type controlOf struct{ deaf }

func (c controlOf) Attach(h func(context.Context, broadcasting.Order) broadcasting.Answer) {
	c.attachControl(h)
}

type presenceOf struct{ deaf }

func (p presenceOf) Attach(l broadcasting.PresenceListener) { p.deaf.Presence.Attach(l) }

// Missing answers of other nodes are an error, never a guess. The work on this node is
// done all the same.
func TestOtherNodesDoNotAnswer(t *testing.T) {
	m := broadcasting.NewMemory(broadcasting.MemoryOptions{})
	d := deaf{m.Control(), m.Presence()}
	e := broadcasting.NewEngine(broadcasting.Options{Broker: m.Broker(), Presence: presenceOf{d}, Control: controlOf{d}})
	a := connect(t, e, "1", "a", words(""))
	if found, err := e.Grant(t.Context(), "1", "elsewhere", broadcasting.Owner{UserID: "7"}, "private-l", ""); found || !errors.Is(err, broadcasting.ErrUnanswered) {
		t.Errorf("Grant: %v, %v", found, err)
	}
	if found, err := e.Identify(t.Context(), "1", "elsewhere", broadcasting.Owner{UserID: "7"}); found || !errors.Is(err, broadcasting.ErrUnanswered) {
		t.Errorf("Identify: %v, %v", found, err)
	}
	if found, err := e.Grant(t.Context(), "1", "a", broadcasting.Owner{UserID: "7"}, "private-l", ""); !found || err != nil {
		t.Errorf("Grant of a socket that is here: %v, %v", found, err)
	}
	join(t, a, "private-l")
	if err := a.SignIn(broadcasting.Identity{UserID: "A"}); err != nil {
		t.Fatal(err)
	}
	a.take()
	if err := e.Unsubscribe(t.Context(), "7", "private-l"); !errors.Is(err, broadcasting.ErrUnanswered) {
		t.Errorf("Unsubscribe: %v", err)
	}
	expect(t, a, "revoked private-l")
	if err := e.Disconnect(t.Context(), "7"); !errors.Is(err, broadcasting.ErrUnanswered) || a.disconnected != broadcasting.AccessEnded {
		t.Errorf("Disconnect: %v, %v", err, a.disconnected)
	}
	if n, err := e.Terminate(t.Context(), "1", "A"); n != 2 || !errors.Is(err, broadcasting.ErrUnanswered) || a.disconnected != broadcasting.Terminated {
		t.Errorf("Terminate: %d, %v, %v", n, err, a.disconnected)
	}
	if err := e.AppsChanged(t.Context()); !errors.Is(err, broadcasting.ErrUnanswered) {
		t.Errorf("AppsChanged: %v", err)
	}
	_, listErr := e.Channels(t.Context(), "1", "")
	_, _, countErr := e.Count(t.Context(), "1", "private-l")
	_, memberErr := e.Members(t.Context(), "1", "presence-x")
	for name, err := range map[string]error{"Channels": listErr, "Count": countErr, "Members": memberErr} {
		if !errors.Is(err, errDeaf) {
			t.Errorf("%s of a node that hears not all others: %v", name, err)
		}
	}
}
