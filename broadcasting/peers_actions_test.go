package broadcasting_test

import (
	"fmt"
	"slices"
	"strconv"

	"chatcast/broadcasting"
)

// actionKind is what can happen in one step of the model.
type actionKind uint8

const (
	actToggle  actionKind = iota // the user's only socket on the node comes or goes
	actDie                       // kill -9
	actStart                     // a new process in the place of a dead one
	actLeave                     // the process ends in order
	actPause                     // SIGSTOP
	actResume                    // SIGCONT
	actCut                       // the connection breaks: the node misses messages and knows it
	actHold                      // messages to the node are held up
	actRelease                   // they arrive
	actMix                       // they arrive the other way round, and then again
	actLose                      // they are lost, and the node does not know it
	actLease                     // more than a lease passes
	actStall                     // more than a lease passes in which no entry can be renewed
	actJump                      // the clock of the entries is put forward by more than a lease
)

var actionNames = [...]string{"toggle", "die", "start", "leave", "pause", "resume", "cut", "hold", "release", "mix", "lose", "lease", "stall", "jump"}

type action struct {
	kind       actionKind
	node, user uint8
}

func (a action) String() string {
	switch a.kind {
	case actToggle:
		return fmt.Sprintf("user %d comes or goes on %c", a.user, 'a'+a.node)
	case actLease, actStall, actJump:
		return actionNames[a.kind]
	}
	return fmt.Sprintf("%s %c", actionNames[a.kind], 'a'+a.node)
}

// can lists what can happen next. Nodes that nothing has happened to are alike but for the
// order in which they beat, so one has a step of its own only after those before. Of users of
// whom everything is alike one has a step.
func (w *world) can(differs [modelUsers]bool) (list []action) {
	for i := range min(w.touched+1, modelNodes) {
		n := &w.nodes[i]
		add := func(kinds ...actionKind) {
			for _, k := range kinds {
				list = append(list, action{k, uint8(i), 0})
			}
		}
		switch {
		case n.dead:
			add(actStart)
			continue
		case n.paused:
			add(actResume, actDie)
			continue
		}
		for u := range n.users {
			if differs[u] {
				list = append(list, action{actToggle, uint8(i), uint8(u)})
			}
		}
		add(actDie, actLeave, actPause)
		if n.connected {
			add(actCut)
		}
		switch {
		case !n.slowToHear:
			add(actHold)
		case !slices.ContainsFunc(n.inbox, n.matters):
			add(actRelease)
		default:
			add(actRelease, actMix, actLose)
		}
	}
	return append(list, action{kind: actLease}, action{kind: actStall}, action{kind: actJump})
}

// settles reports whether an action is the first thing that happens on the way to rest anyway,
// or is undone by it.
func (w *world) settles(a action) bool {
	for i := range w.nodes[:a.node] { // they hear before
		if n := &w.nodes[i]; n.slowToHear && !n.paused && !n.dead {
			return false
		}
	}
	return a.kind == actHold || a.kind == actRelease
}

// do does one step.
func (w *world) do(a action) {
	n := &w.nodes[a.node]
	if a.kind < actLease {
		w.touched = max(w.touched, int(a.node)+1)
	}
	switch a.kind {
	case actToggle:
		w.toggle(n, int(a.user))
	case actDie:
		n.dead = true
	case actStart:
		w.start(n)
	case actLeave:
		w.remove(n.name)
		n.dead = true
		w.send(n, broadcasting.PeerMessage{Kind: broadcasting.PeerBye, From: n.name})
	case actPause:
		n.paused, n.late = true, true
	case actResume:
		n.paused = false
		if !n.slowToHear {
			w.receive(n, n.inbox)
			n.late = false
		}
	case actCut:
		n.connected, n.slowToHear, n.inbox = false, false, nil
		n.peers.Lost()
	case actHold:
		n.slowToHear, n.late = true, true
	case actRelease, actMix, actLose:
		w.release(n, a.kind)
	case actLease:
		for range int(modelLease/modelBeat) + 2 {
			w.beatAll()
		}
		for i := range w.nodes {
			n := &w.nodes[i]
			n.lost = n.lost && (n.paused || n.slowToHear)
		}
	case actStall:
		w.now = w.now.Add(modelLease + modelBeat)
		w.beatAll()
	case actJump:
		w.jumped += modelLease + modelBeat
		w.beatAll()
	}
}

func (w *world) toggle(n *modelNode, user int) {
	id := strconv.Itoa(user)
	r := broadcasting.PresenceReport{Kind: broadcasting.MemberAddedReport, App: "app", Name: "presence-x", Member: &broadcasting.Member{ID: id}}
	if n.users[user] {
		r.Kind, r.Member, r.UserID = broadcasting.MemberRemovedReport, nil, id
	}
	n.users[user] = !n.users[user]
	n.peers.Split()
	switch m := n.peers.Report(r); {
	case n.maySay():
		w.send(n, m)
	case n.connected: // it could not be sent
		n.peers.Again()
	}
}

func (w *world) release(n *modelNode, how actionKind) {
	n.slowToHear = false
	list := n.inbox
	switch how {
	case actMix:
		list = append(slices.Clone(list), list...)
		slices.Reverse(list[:len(list)/2])
	case actLose:
		list = nil
	}
	w.receive(n, list)
	n.late, n.lost = false, n.lost || how == actLose
}
