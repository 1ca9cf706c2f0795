package whatsapp

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"chatcast/crm"
)

// nodes are the processes that serve lines, as far as this one has seen.
type nodes struct {
	unit time.Duration // static while Run runs: the longest time between two looks that counts

	mu   sync.Mutex
	last time.Time           // guarded by mu: of the last look
	seen map[string]seenNode // guarded by mu
}

type seenNode struct {
	crm.LineNode
	unchanged time.Duration // for how long Beat was seen
}

// saw takes over which processes are listed now. It returns those that have not changed
// their beat for a lease. A look that came late, because the database did not answer, counts
// as one that did not: they could not change it either.
func (n *nodes) saw(list []crm.LineNode, self string, lease time.Duration, now time.Time) (dead []crm.LineNode) {
	n.mu.Lock()
	defer n.mu.Unlock()
	before, gap := n.seen, min(now.Sub(n.last), n.unit)
	n.seen, n.last = map[string]seenNode{}, now
	for _, node := range list {
		x := seenNode{LineNode: node}
		if old, known := before[node.Name]; known && old.Beat == node.Beat {
			x.unchanged = old.unchanged + gap
		}
		n.seen[node.Name] = x
		if node.Name != self && x.unchanged >= lease {
			dead = append(dead, node)
		}
	}
	return dead
}

// others lists the names of all processes but one.
func (n *nodes) others(self string) (names []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for name := range n.seen {
		if name != self {
			names = append(names, name)
		}
	}
	return names
}

// share is what a process should change to have as many lines as the others.
type share struct {
	room int // lines to take
	over int // lines to give away
}

// settled is after how many beats a process that joins gets lines of others: one that fails
// at once, and is started again and again, moves none.
const settled = beats

// share divides the lines to serve by the processes. The processes with the most lines keep
// one more when they cannot be divided evenly, so what is even stays as it is.
func (n *nodes) share(rows []crm.LineSession, self string, now time.Time) share {
	n.mu.Lock()
	defer n.mu.Unlock()
	has := map[string]int{}
	lines := 0
	for _, row := range rows {
		if toServe(row, now) {
			lines++
			has[row.LeaseOwner]++
		}
	}
	room := quota(n.sharing(self, 0), has, lines, self) - has[self]
	over := has[self] - quota(n.sharing(self, settled), has, lines, self)
	return share{room, over}
}

// sharing lists this process and the others that have made so many beats, without those
// that leave. mu is held.
func (n *nodes) sharing(self string, after int64) (names []string) {
	names = append(names, self)
	for name, x := range n.seen {
		if name != self && !x.Leaving && x.Beat > after {
			names = append(names, name)
		}
	}
	return names
}

// quota returns how many of the lines a process should have.
func quota(names []string, has map[string]int, lines int, self string) int {
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(has[b], has[a]), cmp.Compare(a, b)) })
	most := lines / len(names)
	if slices.Index(names, self) < lines%len(names) {
		most++
	}
	return most
}

// givenAtOnce is how many lines a process gives away between two beats.
const givenAtOnce = 20

// give stops serving lines that other processes should have. Lines that are being paired or
// logged out stay.
func (m *Messenger) give(rows []crm.LineSession, mine share) {
	over := min(mine.over, givenAtOnce)
	var may []*session
	for _, row := range rows {
		s := m.serving(row.Line)
		switch {
		case s == nil || row.LeaseOwner != m.owner:
		case s.given.Load():
			over--
		case s.paired() && !s.accepting() && !s.loggingOut.Load():
			may = append(may, s)
		}
	}
	for _, s := range may[:max(0, min(over, len(may)))] {
		s.given.Store(true)
		s.log.Info("the line is given to another process, which has fewer")
		s.stop()
	}
}
