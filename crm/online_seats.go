package crm

import (
	"fmt"
	"time"
)

// Seats are the seats that are taken on the nodes of a cluster, by a key. The seats of a
// node end with it.
type Seats interface {
	// Share tells the other nodes whether a seat is taken on this one. It does not block.
	Share(key string, taken bool)
	// Shared reports whether a seat is taken on another node.
	Shared(key string) bool
}

// Share has the tracker share its seats with the other nodes. It must be called before the
// first socket connects. Elsewhere must then be called for the changes of the other nodes.
func (a *OnlineTracker) Share(others Seats) { a.others = others }

// Elsewhere notes that a seat is taken on another node, or on none of them any more. Who took
// it records it. This node does too: it may have recorded the user as offline while the other
// one, which was cut off, had the seat all the time.
func (a *OnlineTracker) Elsewhere(key string, taken bool) {
	d, ok := seatOfKey(key)
	if !ok {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if taken {
		a.arrivals = append(a.arrivals, pendingOnline{d.userID, time.Now().Add(arrivalPause)})
		a.notify()
		return
	}
	at := a.seats[d]
	if at == nil {
		at = &seatState{}
		a.seats[d] = at
	}
	if at.sockets == 0 && at.until.Before(time.Now().Add(absenceGrace)) {
		a.grace(d, at, absenceGrace)
		a.notify()
	}
}

// share needs mu.
func (a *OnlineTracker) share(d seat, taken bool) {
	if a.others != nil {
		a.others.Share(d.String(), taken)
	}
}

// String returns the key of a seat.
func (d seat) String() string { return fmt.Sprintf("%d/%d", d.userID, d.companyID) }

func seatOfKey(key string) (d seat, ok bool) {
	_, err := fmt.Sscanf(key, "%d/%d", &d.userID, &d.companyID)
	return d, err == nil && d.String() == key
}
