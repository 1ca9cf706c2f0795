package clustertest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"chatcast/broadcasting"
)

// Presence tests an implementation of broadcasting.Presence. open returns n nodes that
// are not attached yet.
func Presence(t *testing.T, open func(t *testing.T, n int) []broadcasting.Presence) {
	tests := map[string]func(t *testing.T, nodes []*presenceNode){
		"subscriptions are added up":           testSubscriptions,
		"a member comes once and goes once":    testMembers,
		"a user signs in once and out once":    testSignIns,
		"channels are listed":                  testOtherChannels,
		"what a node said ends with it":        testNodeEnds,
		"the last statement counts":            testStatementsInOrder,
		"a statement made twice is no news":    testStatementTwice,
		"nobody hears of what they said alone": testOwnStatements,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var nodes []*presenceNode
			for _, p := range open(t, 3) {
				n := &presenceNode{Presence: p, told: newNotes()}
				p.Attach(n)
				nodes = append(nodes, n)
			}
			for _, n := range nodes {
				n.stop = run(t, n)
			}
			test(t, nodes)
			for i, n := range nodes {
				if err := n.Complete(t.Context()); err != nil {
					t.Errorf("node %d: %v", i, err)
				}
			}
		})
	}
}

// presenceNode is a node that records what its listener is told.
type presenceNode struct {
	broadcasting.Presence
	told *notes
	stop func()
}

// OthersSubscribed implements broadcasting.PresenceListener.
func (n *presenceNode) OthersSubscribed(app, channel string) {
	n.told.add(fmt.Sprintf("%s %s: %d", app, channel, n.OthersIn(app, channel))) // the listener may call it
}

// OtherMemberAdded implements broadcasting.PresenceListener.
func (n *presenceNode) OtherMemberAdded(app, channel string, m *broadcasting.Member) {
	n.told.add(fmt.Sprintf("%s %s + %s %s", app, channel, m.ID, m.Info))
}

// OtherMemberRemoved implements broadcasting.PresenceListener.
func (n *presenceNode) OtherMemberRemoved(app, channel, userID string) {
	n.told.add(fmt.Sprintf("%s %s - %s", app, channel, userID))
}

// OtherSignedIn implements broadcasting.PresenceListener.
func (n *presenceNode) OtherSignedIn(app, userID string, online bool) {
	n.told.add(fmt.Sprintf("%s %s online %v", app, userID, online))
}

// of returns the notes so far that contain part.
func (n *presenceNode) of(part string) (list []string) {
	n.told.mu.Lock()
	defer n.told.mu.Unlock()
	for _, note := range n.told.list {
		if strings.Contains(note, part) {
			list = append(list, note)
		}
	}
	return list
}

func (n *presenceNode) members(app, channel string) string {
	var ids []string
	for _, m := range n.OtherMembers(app, channel) {
		ids = append(ids, m.ID)
	}
	slices.Sort(ids)
	return strings.Join(ids, " ")
}

func testSubscriptions(t *testing.T, nodes []*presenceNode) {
	nodes[0].Subscribed("1", "news", 2)
	nodes[2].told.last(t, "1 news: 2")
	nodes[1].Subscribed("1", "news", 3)
	nodes[2].told.last(t, "1 news: 5")
	nodes[0].Subscribed("1", "news", 0)
	nodes[2].told.last(t, "1 news: 3")
	nodes[1].Subscribed("2", "news", 9)
	nodes[2].told.last(t, "2 news: 9")
	if sockets := nodes[2].OthersIn("1", "news"); sockets != 3 || nodes[2].members("1", "news") != "" {
		t.Errorf("%d sockets, members %q", sockets, nodes[2].members("1", "news"))
	}
	nodes[1].told.last(t, "1 news: 0")
	if sockets := nodes[1].OthersIn("1", "news"); sockets != 0 {
		t.Errorf("node 1 counts %d sockets of others, and they are its own", sockets)
	}
}

func testMembers(t *testing.T, nodes []*presenceNode) {
	const channel = "presence-a"
	member := func(id string) *broadcasting.Member {
		return &broadcasting.Member{ID: id, Info: json.RawMessage(`{"name":"ü \"` + id + `\""}`)}
	}
	nodes[0].MemberAdded("1", channel, member("u"))
	nodes[2].told.last(t, `1 presence-a + u {"name":"ü \"u\""}`)
	nodes[1].MemberAdded("1", channel, member("u"))
	nodes[1].MemberAdded("1", channel, member("v"))
	nodes[2].told.last(t, `1 presence-a + v {"name":"ü \"v\""}`)
	nodes[0].MemberRemoved("1", channel, "u")
	nodes[0].MemberAdded("1", channel, member("w"))
	nodes[2].told.last(t, `1 presence-a + w {"name":"ü \"w\""}`)
	if got := nodes[2].members("1", channel); got != "u v w" {
		t.Errorf("members %q", got)
	}
	if got := nodes[2].members("2", channel); got != "" {
		t.Errorf("members of another app: %q", got)
	}
	nodes[1].MemberRemoved("1", channel, "u")
	nodes[2].told.last(t, "1 presence-a - u")
	if came, went := nodes[2].of("+ u"), nodes[2].of("- u"); len(came) != 1 || len(went) != 1 {
		t.Errorf("u came %q and went %q", came, went)
	}
	nodes[0].told.last(t, "1 presence-a - u") // node 1 had the last of u, for node 0 too
}

func testSignIns(t *testing.T, nodes []*presenceNode) {
	nodes[0].SignedIn("1", "7", 1)
	nodes[2].told.last(t, "1 7 online true")
	nodes[0].SignedIn("1", "7", 2)
	nodes[1].SignedIn("1", "7", 1)
	nodes[1].SignedIn("1", "8", 1)
	nodes[2].told.last(t, "1 8 online true")
	nodes[0].SignedIn("1", "7", 0)
	nodes[0].SignedIn("2", "7", 1)
	nodes[2].told.last(t, "2 7 online true")
	if !nodes[2].OthersSignedIn("1", "7") || nodes[2].OthersSignedIn("1", "9") || nodes[2].OthersSignedIn("2", "8") {
		t.Error("who is signed in is not known")
	}
	nodes[1].SignedIn("1", "7", 0)
	nodes[2].told.last(t, "1 7 online false")
	if nodes[2].OthersSignedIn("1", "7") {
		t.Error("7 is still signed in")
	}
	if told := nodes[2].of("1 7 online"); len(told) != 2 {
		t.Errorf("told %q", told)
	}
}

func testOtherChannels(t *testing.T, nodes []*presenceNode) {
	nodes[0].Subscribed("1", "news", 1)
	nodes[1].Subscribed("1", "news", 2)
	nodes[1].Subscribed("1", "presence-a", 2)
	nodes[1].MemberAdded("1", "presence-a", &broadcasting.Member{ID: "u"})
	nodes[1].MemberAdded("1", "presence-a", &broadcasting.Member{ID: "v"})
	nodes[1].Subscribed("2", "presence-b", 1)
	nodes[1].MemberAdded("2", "presence-b", &broadcasting.Member{ID: "u"})
	for _, note := range []string{"2 presence-b + u ", "1 news: 3"} { // of two nodes, in any order
		nodes[2].told.await(t, note, func(list []string) bool { return slices.Contains(list, note) })
	}
	for _, test := range []struct{ app, prefix, want string }{
		{"1", "", "1 news 3 false 0; 1 presence-a 2 true 2"},
		{"1", "presence-", "1 presence-a 2 true 2"},
		{"", "presence-", "1 presence-a 2 true 2; 2 presence-b 1 true 1"},
		{"3", "", ""},
	} {
		var list []string
		for _, o := range nodes[2].OtherChannels(test.app, test.prefix) {
			list = append(list, fmt.Sprint(o.App, " ", o.Name, " ", o.Subscriptions, " ", o.Presence, " ", o.Users))
		}
		slices.Sort(list)
		if got := strings.Join(list, "; "); got != test.want {
			t.Errorf("channels of %q with %q: %q, want %q", test.app, test.prefix, got, test.want)
		}
	}
}

func testNodeEnds(t *testing.T, nodes []*presenceNode) {
	for i := range 2 { // u is on both nodes, the others on the first
		nodes[i].Subscribed("1", "presence-a", 1)
		nodes[i].MemberAdded("1", "presence-a", &broadcasting.Member{ID: "u"})
		nodes[i].SignedIn("1", "u", 1)
	}
	nodes[0].MemberAdded("1", "presence-a", &broadcasting.Member{ID: "v"})
	nodes[0].SignedIn("1", "v", 1)
	for _, note := range []string{"1 presence-a: 2", "1 u online true", "1 v online true", "1 presence-a + v "} {
		nodes[2].told.await(t, note, func(list []string) bool { return slices.Contains(list, note) })
	}
	before := len(nodes[2].of(""))
	nodes[0].stop()
	nodes[0].Subscribed("1", "presence-a", 7) // too late
	nodes[0].MemberAdded("1", "presence-a", &broadcasting.Member{ID: "ghost"})
	nodes[0].SignedIn("1", "ghost", 1)
	for _, note := range []string{"1 presence-a: 1", "1 v online false", "1 presence-a - v"} {
		nodes[2].told.await(t, note, func(list []string) bool { return slices.Contains(list[before:], note) })
	}
	nodes[1].Subscribed("1", "end", 1)
	nodes[2].told.await(t, "the end", func(list []string) bool { return slices.Contains(list, "1 end: 1") })
	sockets := nodes[2].OthersIn("1", "presence-a")
	if got := nodes[2].members("1", "presence-a"); sockets != 1 || got != "u" || !nodes[2].OthersSignedIn("1", "u") {
		t.Errorf("left are %d sockets of %q", sockets, got)
	}
	if went := append(nodes[2].of("- u"), nodes[2].of("u online false")...); len(went) > 0 {
		t.Errorf("u is on another node, and went: %q", went)
	}
	if ghost := nodes[2].of("ghost"); len(ghost) > 0 || nodes[2].OthersSignedIn("1", "ghost") {
		t.Errorf("a node that has ended was heard: %q", ghost)
	}
}

func testStatementsInOrder(t *testing.T, nodes []*presenceNode) {
	const rounds = 500
	for i := range rounds {
		nodes[0].Subscribed("1", "presence-a", i%2)
		nodes[0].MemberAdded("1", "presence-a", &broadcasting.Member{ID: "u"})
		nodes[0].MemberRemoved("1", "presence-a", "u")
		nodes[0].SignedIn("1", "u", i%2)
	}
	nodes[0].Subscribed("1", "end", 1)
	nodes[1].told.await(t, "the end", func(list []string) bool { return slices.Contains(list, "1 end: 1") })
	sockets, members := nodes[1].OthersIn("1", "presence-a"), nodes[1].members("1", "presence-a")
	if sockets != (rounds-1)%2 || members != "" || !nodes[1].OthersSignedIn("1", "u") {
		t.Errorf("%d sockets, members %q", sockets, members)
	}
	if came, went := nodes[1].of("+ u"), nodes[1].of("- u"); len(came) != len(went) {
		t.Errorf("u came %d times and went %d times", len(came), len(went))
	}
}

func testStatementTwice(t *testing.T, nodes []*presenceNode) {
	for range 3 {
		nodes[0].Subscribed("1", "presence-a", 1)
		nodes[0].MemberAdded("1", "presence-a", &broadcasting.Member{ID: "u"})
		nodes[0].SignedIn("1", "u", 1)
	}
	for range 2 {
		nodes[0].MemberRemoved("1", "presence-a", "nobody")
		nodes[0].Subscribed("1", "empty", 0)
		nodes[0].SignedIn("1", "nobody", 0)
	}
	nodes[0].Subscribed("1", "end", 1)
	want := []string{"1 presence-a: 1", "1 presence-a + u ", "1 u online true", "1 end: 1"}
	list := nodes[1].told.await(t, "all of it", func(list []string) bool { // in any order, when the node has just been heard for the first time
		return !slices.ContainsFunc(want, func(one string) bool { return !slices.Contains(list, one) })
	})
	if len(list) != len(want) {
		t.Errorf("told %q, want %q", list, want)
	}
}

func testOwnStatements(t *testing.T, nodes []*presenceNode) {
	n := nodes[0]
	n.Subscribed("1", "presence-a", 3)
	n.MemberAdded("1", "presence-a", &broadcasting.Member{ID: "u"})
	n.SignedIn("1", "u", 1)
	nodes[1].told.await(t, "what node 0 said", func(list []string) bool { return slices.Contains(list, "1 u online true") })
	nodes[1].Subscribed("1", "end", 1)
	list := n.told.await(t, "the end", func(list []string) bool { return slices.Contains(list, "1 end: 1") })
	sockets, members := n.OthersIn("1", "presence-a"), n.members("1", "presence-a")
	if len(list) != 1 || sockets != 0 || members != "" || n.OthersSignedIn("1", "u") || len(n.OtherChannels("1", "presence-")) > 0 {
		t.Errorf("told %q; %d sockets, members %q", list, sockets, members)
	}
}
