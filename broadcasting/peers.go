package broadcasting

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Peers is the rule by which the nodes of a cluster share what they report of their
// sockets: who is a node, what it has, and when that is dropped. It does no I/O, has no
// clock and starts no goroutine: an implementation of Presence gives it what it hears, and
// sends what it returns and what is Wanted. Messages may be lost, come twice and overtake each other.
//
//   - A node has a name in the cluster, and a new one, with the same base, each time it
//     joins. A name that has gone never comes back: what is still heard of it is ignored.
//   - What a node has, only the node itself says, under its name. It counts its reports, and
//     they are applied in that order, each once. Every beat it says the count: a node that
//     has not heard so many asks for everything.
//   - Everything that a node has reported is dropped at once, when it says good-bye, when
//     its lease is over, when it has said what it has under a later name, or when it is not
//     listed any more. Who has a later name is never counted under both.
//
// It is safe for concurrent use.
type Peers struct {
	// static
	PeersOptions
	listener PresenceListener
	view     *PresenceView // of the other nodes
	mine     *PresenceView // of this node, under the name self

	order sync.Mutex // held while the listener is told, so that it is told in order; before mu

	mu sync.Mutex
	// guarded by mu
	name   string
	number uint64 // how many reports this node has made
	nodes  map[string]*peer
	gone   map[string]int  // beats since the names have gone
	wanted map[string]bool // who wants to know what this node has; "": all
	beats  int
}

// PeersOptions are the options of Peers.
type PeersOptions struct {
	Patience int               // for how many beats a node may not be listed: a lease
	Gone     func(node string) // is called when another node has gone
	Changed  func()            // is called when Complete may have changed
}

// peer is another node.
type peer struct {
	absent   int                         // for how many beats it has not been listed
	asked    int                         // the beat at which it was last asked for its state, or sent a part of it
	known    bool                        // the view has what it had at its report number
	number   uint64                      // of its last report in the view
	said     uint64                      // the highest number that was heard
	incoming []PeerMessage               // the parts of its state so far
	later    map[uint64][]PresenceReport // reports that wait for the state, or for those before them
}

// complete reports whether the view has what the node has, as far as was heard.
func (o *peer) complete() bool { return o.known && o.number >= o.said }

// PeerKind is the kind of a PeerMessage.
type PeerKind string

// Kinds of messages between nodes.
const (
	PeerHello  PeerKind = "hello"  // the sender has joined, and its state follows; the others answer with theirs
	PeerState  PeerKind = "state"  // Reports: everything that the sender has, in parts; Done with the last one
	PeerReport PeerKind = "report" // Reports: the change with this Number
	PeerProbe  PeerKind = "probe"  // the sender lives
	PeerAsk    PeerKind = "ask"    // the sender has missed something and wants the state
	PeerGap    PeerKind = "gap"    // is never sent: something that the sender said was lost on the way
	PeerBye    PeerKind = "bye"    // the sender has left
	PeerDead   PeerKind = "dead"   // the lease of Node is over
)

// PeerMessage is what the nodes tell each other.
type PeerMessage struct {
	Kind    PeerKind
	From    string
	To      string // the only node that it is for; empty: all
	Node    string
	Number  uint64 // how many reports the sender had made
	Part    int    // of a state, from 0
	Reports []PresenceReport
	Done    bool
}

const (
	selfName   = "self"
	stateParts = 500    // reports in one part of a state
	mostLater  = 10_000 // reports that may wait for one that is missing
	goneBeats  = 600    // how long the name of a node that has gone is remembered
)

// ErrUnknownState is returned by Complete while a node has not said what it has.
var ErrUnknownState = errors.New("broadcasting: a node of the cluster has not said what it has")

// NewPeers returns the peers of a node that has not joined.
func NewPeers(o PeersOptions) *Peers {
	return &Peers{
		PeersOptions: o, view: NewPresenceView(), mine: NewPresenceView(), nodes: map[string]*peer{}, gone: map[string]int{},
		wanted: map[string]bool{},
	}
}

// Attach sets the listener, before the first message is heard.
func (p *Peers) Attach(others PresenceListener) { p.listener = others }

// View returns what the other nodes have.
func (p *Peers) View() *PresenceView { return p.view }

// parseName returns the part of a node's name that stays when the node joins again, and
// the number of the name.
func parseName(name string) (base string, n int) {
	base, number, _ := strings.Cut(name, ".")
	n, _ = strconv.Atoi(number)
	return base, n
}

// sameNode reports whether two names are of one node.
func sameNode(a, b string) bool {
	baseA, _ := parseName(a)
	baseB, _ := parseName(b)
	return baseA == baseB
}

// supersedes reports whether name is a later name of the node than other.
func supersedes(name, other string) bool {
	base, n := parseName(name)
	baseOther, nOther := parseName(other)
	return base == baseOther && n > nOther
}

// Report notes a report of this node and returns the message for the others. Messages must
// be sent in the order in which they were returned.
func (p *Peers) Report(r PresenceReport) PeerMessage {
	p.mu.Lock()
	defer p.mu.Unlock()
	r.Node = selfName
	p.mine.Apply(r)
	p.number++
	return PeerMessage{Kind: PeerReport, From: p.name, Number: p.number, Reports: []PresenceReport{r}}
}

// Probe returns what this node sends every beat, behind all that it has reported.
func (p *Peers) Probe() PeerMessage {
	p.mu.Lock()
	defer p.mu.Unlock()
	return PeerMessage{Kind: PeerProbe, From: p.name, Number: p.number}
}

// Again notes that something that this node has said may be lost: all want to know what it
// has.
func (p *Peers) Again() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted[""] = true
}

// Wanting reports whether somebody wants to know what this node has.
func (p *Peers) Wanting() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.wanted) > 0
}

// Wanted returns what this node has, for those who want to know it, behind all that it has
// reported. It may wait until there is little else to send. For several nodes it is said once,
// to all: otherwise nodes that all join at once would tell each other more than they can hear.
func (p *Peers) Wanted() []PeerMessage {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.wanted) == 0 {
		return nil
	}
	to := ""
	if len(p.wanted) == 1 {
		for to = range p.wanted {
		}
	}
	clear(p.wanted)
	return p.state(to)
}

// Join gives this node a new name, base.n, and returns what it says first. It must be
// listed, and listening, before the messages are sent.
func (p *Peers) Join(name string) []PeerMessage {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.name != "" {
		p.gone[p.name] = 0
	}
	p.name = name
	clear(p.wanted)
	return append([]PeerMessage{{Kind: PeerHello, From: name}}, p.state("")...)
}

// state needs mu.
func (p *Peers) state(to string) (list []PeerMessage) {
	for part := range slices.Chunk(p.mine.Reports(selfName), stateParts) {
		list = append(list, PeerMessage{Kind: PeerState, From: p.name, To: to, Number: p.number, Part: len(list), Reports: part})
	}
	if len(list) == 0 {
		list = append(list, PeerMessage{Kind: PeerState, From: p.name, To: to, Number: p.number})
	}
	list[len(list)-1].Done = true
	return list
}

// IsGone reports whether a name has gone.
func (p *Peers) IsGone(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, gone := p.gone[name]
	return gone
}

// Count returns how many other nodes there are.
func (p *Peers) Count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.nodes)
}

// Complete returns nil when this node knows what every other node has.
func (p *Peers) Complete() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, other := range p.nodes {
		if !other.complete() {
			return fmt.Errorf("%w: %s", ErrUnknownState, name)
		}
	}
	return nil
}

func (p *Peers) changed() {
	if p.Changed != nil {
		p.Changed()
	}
}
