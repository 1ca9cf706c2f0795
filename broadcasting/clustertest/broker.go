package clustertest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"chatcast/broadcasting"
)

// Broker tests brokers. open returns n nodes that nobody has attached yet. They must
// keep events for more than a minute.
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
				n := &brokerNode{Broker: b, told: newNotes()}
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

// brokerNode is a node that writes down what it is given.
type brokerNode struct {
	broadcasting.Broker
	told *notes
	stop func()
}

func (n *brokerNode) deliver(ev *broadcasting.Event) {
	n.told.add(fmt.Sprintf("%s %s %s %s", ev.App, ev.Channel, ev.Name, ev.Data))
}

func (n *brokerNode) publish(t *testing.T, ev broadcasting.Event) uint64 {
	t.Helper()
	if err := n.Publish(t.Context(), &ev); err != nil {
		t.Fatal(err)
	}
	return ev.Version
}

func (n *brokerNode) lastOf(t *testing.T, app, channel string) (data string, version uint64) {
	t.Helper()
	ev, ttl, err := n.Last(t.Context(), app, channel)
	if err != nil {
		t.Fatal(err)
	}
	if ev == nil {
		return "", 0
	}
	if ttl <= 0 {
		t.Errorf("the last event of %s is kept for %s", channel, ttl)
	}
	return ev.Data, ev.Version
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
	came := make(chan broadcasting.Event, 1)
	nodes[1].Attach(func(ev *broadcasting.Event) {
		came <- *ev
		nodes[1].told.add("came")
	})
	nodes[1].Interest(want.App, want.Channel, true)
	nodes[0].publish(t, want)
	nodes[1].told.last(t, "came")
	if got := <-came; got != want {
		t.Errorf("came %+v, want %+v", got, want)
	}
}

func testBrokerLast(t *testing.T, nodes []*brokerNode) {
	for _, n := range nodes {
		if data, _ := n.lastOf(t, "1", "cache-a"); data != "" {
			t.Fatalf("nothing was published, and %q is kept", data)
		}
	}
	first := nodes[0].publish(t, broadcasting.Event{App: "1", Channel: "cache-a", Name: "e", Data: "first"})
	second := nodes[1].publish(t, broadcasting.Event{App: "1", Channel: "cache-a", Name: "e", Data: "second"})
	if first == 0 || second <= first {
		t.Errorf("versions %d and %d", first, second)
	}
	// None of these is kept.
	for _, ev := range []broadcasting.Event{
		{App: "1", Channel: "private-cache-a", Name: "client-e", Data: "{}", Object: true},
		{App: "1", Channel: "news", Name: "e", Data: "x"},
		{App: "1", Channel: "cache-not valid", Name: "e", Data: "x"},
	} {
		if v := nodes[0].publish(t, ev); v != 0 {
			t.Errorf("%+v is kept as %d", ev, v)
		}
		if data, _ := nodes[0].lastOf(t, ev.App, ev.Channel); data != "" {
			t.Errorf("%+v is kept", ev)
		}
	}
	for i, n := range nodes {
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
	var mu sync.Mutex
	versions := make([][]uint64, len(nodes))
	for i, n := range nodes {
		n.Attach(func(ev *broadcasting.Event) {
			mu.Lock()
			versions[i] = append(versions[i], ev.Version)
			mu.Unlock()
			n.told.add("came")
		})
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
		mu.Lock()
		if !slices.IsSorted(versions[i]) || len(slices.Compact(slices.Clone(versions[i]))) != events*len(nodes) {
			t.Errorf("node %d got the versions %d", i, versions[i])
		}
		highest := versions[i][len(versions[i])-1]
		mu.Unlock()
		if _, version := n.lastOf(t, "1", "cache-a"); version != highest {
			t.Errorf("node %d keeps version %d, the last one is %d", i, version, highest)
		}
	}
}

func testBrokerRemoveApp(t *testing.T, nodes []*brokerNode) {
	for _, app := range []string{"1", "2"} {
		nodes[0].publish(t, broadcasting.Event{App: app, Channel: "cache-a", Name: "e", Data: "of " + app})
	}
	if err := nodes[1].RemoveApp(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	for i, n := range nodes {
		one, _ := n.lastOf(t, "1", "cache-a")
		two, _ := n.lastOf(t, "2", "cache-a")
		if one != "" || two != "of 2" {
			t.Errorf("node %d keeps %q and %q", i, one, two)
		}
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
