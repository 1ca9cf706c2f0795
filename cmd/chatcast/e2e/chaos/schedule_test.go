package chaos

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// fault is a kind of what goes wrong.
type fault string

const (
	kill     fault = "kill -9"       // of a node, which is started again
	stop     fault = "SIGSTOP"       // of a node, then SIGCONT
	restart  fault = "restart"       // of a node, in order
	cutOff   fault = "cut off"       // a node from the database
	hang     fault = "hanging"       // so is the connection of a node to the database
	crash    fault = "database down" // killed, and started again
	redis    fault = "Redis down"    // killed, and started again
	cut      fault = "cut sockets"   // of clients on a node
	halfOpen fault = "half-open"     // sockets of clients on a node: nothing passes any more
	fail     fault = "receivers"     // fail all
)

// plan is one fault of a schedule.
type plan struct {
	at, lasts time.Duration
	what      fault
	node      int // -1: of all
}

func (p plan) String() string {
	s := fmt.Sprintf("%7.2fs  %s", p.at.Seconds(), p.what)
	if p.node >= 0 {
		s += fmt.Sprintf(" of node %d", p.node)
	}
	if p.lasts > 0 {
		s += fmt.Sprintf(" for %.2fs", p.lasts.Seconds())
	}
	return s
}

// chance is how often a fault comes, and for how long.
type chance struct {
	what        fault
	weight      int
	least, most time.Duration
	node        bool // the node is busy meanwhile
}

var chances = []chance{
	{kill, 4, 0, 9 * time.Second, true},
	{stop, 4, 500 * time.Millisecond, 11 * time.Second, true},
	{restart, 3, 0, 2 * time.Second, true},
	{cutOff, 2, 200 * time.Millisecond, 9 * time.Second, true},
	{hang, 2, time.Second, 9 * time.Second, true},
	{crash, 1, 100 * time.Millisecond, 3 * time.Second, false},
	{cut, 6, 0, 0, false},
	{halfOpen, 4, 2 * time.Second, 12 * time.Second, false},
	{fail, 1, time.Second, 5 * time.Second, false},
}

// schedule makes the faults of a run out of a seed. At any time one node has none.
func schedule(seed uint64, length time.Duration, bus string) (list []plan) {
	r := rand.New(rand.NewPCG(seed, 13))
	odds := chances
	if bus == "redis" {
		odds = append(slices.Clone(odds), chance{redis, 2, 200 * time.Millisecond, 4 * time.Second, false})
	}
	total := 0
	for _, o := range odds {
		total += o.weight
	}
	var busy [nodeCount]time.Duration
	var away time.Duration // until when Redis is
	for at := time.Second; ; {
		at += 300*time.Millisecond + time.Duration(r.Int64N(int64(3*time.Second)))
		pick := r.IntN(total)
		i := 0
		for ; pick >= odds[i].weight; i++ {
			pick -= odds[i].weight
		}
		o := odds[i]
		p := plan{at: at.Round(time.Millisecond), what: o.what, node: r.IntN(nodeCount), lasts: o.least}
		if o.most > o.least {
			p.lasts += time.Duration(r.Int64N(int64(o.most - o.least))).Round(time.Millisecond)
		}
		if p.at+p.lasts > length {
			return list
		}
		if o.what == crash || o.what == redis || o.what == fail {
			p.node = -1
		}
		if o.what == redis {
			if at <= away {
				continue
			}
			away = at + p.lasts
		}
		if o.node {
			free := slices.DeleteFunc([]int{0, 1, 2}, func(n int) bool { return busy[n] > at })
			if len(free) < 2 {
				continue
			}
			p.node = free[r.IntN(len(free))]
			busy[p.node] = at + p.lasts
		}
		list = append(list, p)
	}
}

// moment is the beginning or the end of a fault.
type moment struct {
	at    time.Duration
	plan  plan
	begin bool
}

// moments returns the beginnings and ends of faults, in order.
func moments(list []plan) (all []moment) {
	for _, p := range list {
		all = append(all, moment{p.at, p, true})
		if p.lasts > 0 {
			all = append(all, moment{p.at + p.lasts, p, false})
		}
	}
	slices.SortStableFunc(all, func(a, b moment) int { return cmp.Compare(a.at, b.at) })
	return all
}
