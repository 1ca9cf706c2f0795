package clustertest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"chatcast/broadcasting"
)

// Broker tests an implementation of broadcasting.Broker. open returns n nodes that are
// not attached yet. They must keep events for more than a minute.
func Broker(t *testing.T, open func(t *testing.T, n int) []broadcasting.Broker) {
	tests := map[string]func(t *testing.T, nodes []*brokerNode){
		"every node gets all, in order":      testBrokerOrder,
		"all of an event arrives":            testBrokerFields,
		"the last event is kept":             testBrokerLast,
		"kept events have one order":         testBrokerVersions,
		"an app is removed":                  testBrokerRemoveApp,
		"interest comes and goes":            testBrokerInterest,
		"a node that ends leaves the others": testBrokerEnd,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var nodes []*brokerNode
			for _, b := range open(t, 3) {
				n := &brokerNode{Broker: b, t: t, told: newNotes()}
				b.Attach(n.deliver)
				nodes = append(nodes, n)
			}
			for _, n := range nodes {
				n.stop = run(t, n)
			}
			test(t, nodes)
		})
	}
}

// brokerNode is a node that records the events it is given.
type brokerNode struct {
	broadcasting.Broker
	t    *testing.T
	told *notes
	stop func()

	mu     sync.Mutex
	events []delivery // guarded by mu
}

// delivery is an event that was delivered with its version.
type delivery struct {
	broadcasting.Event
	version uint64
}

// deliver compares a kept event with Last, which must return it by the time it is
// delivered.
func (n *brokerNode) deliver(ev broadcasting.Event, version uint64) {
	if version > 0 {
		last, err := n.Last(context.Background(), ev.App, ev.Channel)
		if err != nil || last.Version < version {
			n.t.Errorf("version %d was delivered when the last event was %+v, %v", version, last, err)
		}
	}
	n.mu.Lock()
	n.events = append(n.events, delivery{ev, version})
	n.mu.Unlock()
	n.told.add(fmt.Sprintf("%s %s %s %s", ev.App, ev.Channel, ev.Name, ev.Data))
}

func (n *brokerNode) given() []delivery {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.events)
}

func (n *brokerNode) publish(t *testing.T, ev broadcasting.Event) {
	t.Helper()
	if err := n.Publish(t.Context(), ev); err != nil {
		t.Fatal(err)
	}
}

func (n *brokerNode) lastOf(t *testing.T, app, channel string) (data string, version uint64) {
	t.Helper()
	last, err := n.Last(t.Context(), app, channel)
	if err != nil {
		t.Fatal(err)
	}
	if last.Version == 0 {
		return "", 0
	}
	if last.TTL < time.Minute {
		t.Errorf("the last event of %s is kept for %s", channel, last.TTL)
	}
	return last.Event.Data, last.Version
}

func testBrokerOrder(t *testing.T, nodes []*brokerNode) {
	const events = 200
	var publishers sync.WaitGroup
	for i, n := range nodes {
		for _, m := range nodes {
			m.Interest("1", fmt.Sprintf("news-%d", i), true)
		}
		publishers.Go(func() {
			for k := range events {
				n.publish(t, broadcasting.Event{App: "1", Channel: fmt.Sprintf("news-%d", i), Name: "e", Data: fmt.Sprint(k)})
			}
		})
	}
	publishers.Wait()
	for _, n := range nodes {
		list := n.told.await(t, "the last event", func(list []string) bool { return len(list) >= events*len(nodes) })
		for i := range nodes {
			var of []string
			for _, note := range list {
				if strings.HasPrefix(note, fmt.Sprintf("1 news-%d ", i)) {
					of = append(of, note[strings.LastIndexByte(note, ' ')+1:])
				}
			}
			for k := range events {
				if k >= len(of) || of[k] != fmt.Sprint(k) {
					t.Fatalf("of node %d came %q", i, of)
				}
			}
		}
	}
}

func testBrokerFields(t *testing.T, nodes []*brokerNode) {
	want := broadcasting.Event{
		App: "app", Channel: "presence-a;b=@,.", Name: "client-\u2028é\"", Data: `{"a":"\u0000ü"}`, Object: true,
		Except: "1.2", UserID: "7\n", Seq: 1<<62 + 1,
	}
	nodes[1].Interest(want.App, want.Channel, true)
	nodes[0].publish(t, want)
	nodes[1].told.await(t, "the event", func(list []string) bool { return len(list) > 0 })
	if got := nodes[1].given()[0]; got.Event != want || got.version != 0 {
		t.Errorf("came %+v, want %+v", got, want)
	}
}

func testBrokerLast(t *testing.T, nodes []*brokerNode) {
	for _, n := range nodes {
		if data, _ := n.lastOf(t, "1", "cache-a"); data != "" {
			t.Fatalf("nothing was published, and %q is kept", data)
		}
	}
	nodes[0].publish(t, broadcasting.Event{App: "1", Channel: "cache-a", Name: "e", Data: "first"})
	_, first := nodes[0].lastOf(t, "1", "cache-a")
	nodes[1].publish(t, broadcasting.Event{App: "1", Channel: "cache-a", Name: "e", Data: "second"})
	_, second := nodes[1].lastOf(t, "1", "cache-a")
	if first == 0 || second <= first {
		t.Errorf("versions %d and %d", first, second)
	}
	// None of these is kept.
	for _, ev := range []broadcasting.Event{
		{App: "1", Channel: "private-cache-a", Name: "client-e", Data: "{}", Object: true},
		{App: "1", Channel: "news", Name: "e", Data: "x"},
		{App: "1", Channel: "cache-not valid", Name: "e", Data: "x"},
	} {
		nodes[0].publish(t, ev)
		if data, _ := nodes[0].lastOf(t, ev.App, ev.Channel); data != "" {
			t.Errorf("%+v is kept", ev)
		}
	}
	kept := broadcasting.Event{App: "1", Channel: "presence-cache-b", Name: "n\u2028", Data: "d\"", Seq: 1<<62 + 1, Except: "1.2"}
	nodes[0].publish(t, kept)
	kept.Except = "" // irrelevant once the event is kept
	for i, n := range nodes {
		if last, err := n.Last(t.Context(), "1", kept.Channel); err != nil || last.Event != kept || last.Version <= second {
			t.Errorf("node %d keeps %+v, %v; want %+v", i, last, err, kept)
		}
		if data, version := n.lastOf(t, "1", "cache-a"); data != "second" || version != second {
			t.Errorf("node %d has %q, version %d, want %d", i, data, version, second)
		}
		if data, _ := n.lastOf(t, "2", "cache-a"); data != "" {
			t.Errorf("another app has %q", data)
		}
	}
}

func testBrokerVersions(t *testing.T, nodes []*brokerNode) {
	const events = 100
	for _, n := range nodes {
		n.Interest("1", "cache-a", true)
	}
	var publishers sync.WaitGroup
	for _, n := range nodes {
		publishers.Go(func() {
			for range events {
				n.publish(t, broadcasting.Event{App: "1", Channel: "cache-a", Name: "e", Data: "x"})
			}
		})
	}
	publishers.Wait()
	for i, n := range nodes {
		n.told.await(t, "the last event", func(list []string) bool { return len(list) >= events*len(nodes) })
		var versions []uint64
		for _, ev := range n.given() {
			versions = append(versions, ev.version)
		}
		if !slices.IsSorted(versions) || len(slices.Compact(slices.Clone(versions))) != events*len(nodes) {
			t.Errorf("node %d got the versions %d", i, versions)
		}
		if _, version := n.lastOf(t, "1", "cache-a"); version != versions[len(versions)-1] {
			t.Errorf("node %d keeps version %d, the last one is %d", i, version, versions[len(versions)-1])
		}
	}
}

func testBrokerRemoveApp(t *testing.T, nodes []*brokerNode) {
	apps := []string{"1", "2", "12", "1 "}
	for _, app := range apps {
		for _, n := range nodes {
			n.Interest(app, "cache-a", true)
		}
		nodes[0].publish(t, broadcasting.Event{App: app, Channel: "cache-a", Name: "e", Data: "of " + app})
	}
	for _, n := range nodes { // a node compares what it is given with what is kept
		n.told.await(t, "all events", func(list []string) bool { return len(list) == len(apps) })
	}
	if err := nodes[1].RemoveApp(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	for i, n := range nodes {
		for app, want := range map[string]string{"1": "", "2": "of 2", "12": "of 12", "1 ": "of 1 "} {
			if data, _ := n.lastOf(t, app, "cache-a"); data != want {
				t.Errorf("node %d keeps %q of app %q", i, data, app)
			}
		}
	}
	nodes[0].publish(t, broadcasting.Event{App: "1", Channel: "cache-a", Name: "e", Data: "x"})
	if _, after := nodes[0].lastOf(t, "1", "cache-a"); after <= 1 {
		t.Errorf("the versions of an app that was removed begin anew with %d", after)
	}
}

func testBrokerInterest(t *testing.T, nodes []*brokerNode) {
	n := nodes[1]
	for round := range 20 {
		n.Interest("1", "news", true)
		data := fmt.Sprint(round)
		nodes[0].publish(t, broadcasting.Event{App: "1", Channel: "news", Name: "e", Data: data})
		n.told.last(t, "1 news e "+data)
		n.Interest("1", "news", false)
	}
}

func testBrokerEnd(t *testing.T, nodes []*brokerNode) {
	for _, n := range nodes {
		n.Interest("1", "cache-a", true)
	}
	nodes[0].publish(t, broadcasting.Event{App: "1", Channel: "cache-a", Name: "e", Data: "before"})
	nodes[0].stop()
	nodes[1].publish(t, broadcasting.Event{App: "1", Channel: "cache-a", Name: "e", Data: "after"})
	nodes[2].told.last(t, "1 cache-a e after")
	if data, _ := nodes[2].lastOf(t, "1", "cache-a"); data != "after" {
		t.Errorf("kept is %q", data)
	}
}
