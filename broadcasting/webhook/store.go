package webhook

import (
	"context"
	"time"
)

// Store keeps what is to be delivered and what receivers were told, across the end
// of the process.
type Store interface {
	// Load returns everything that is kept, the deliveries in the order in which
	// they were committed, without those that were given up.
	Load(ctx context.Context) (Kept, error)
	// Commit does all of b in one transaction and sets the IDs of b.New, which rise.
	// It is called by one goroutine. After an error it is called again with the same
	// b, of which nothing, or all, may have happened.
	Commit(ctx context.Context, b *Batch) error
}

// Kept is what a Store keeps.
type Kept struct {
	Deliveries []Delivery
	Announced  []Subject
}

// Batch is what changes in a Store at one time.
type Batch struct {
	New       []Delivery // to be kept
	Failed    []Failure  // tried in vain, kept
	GivenUp   []Failure  // kept for people to look at, and no more to be loaded
	Done      []int64    // delivered, or dropped: to be removed
	Announced []Subject  // to be kept, if they are not
	Cleared   []Subject  // to be removed, if they are there
}

func (b *Batch) empty() bool {
	return len(b.New)+len(b.Failed)+len(b.GivenUp)+len(b.Done)+len(b.Announced)+len(b.Cleared) == 0
}

// Delivery is one or more events that are to be delivered to an endpoint.
type Delivery struct {
	ID       int64
	App      string
	Endpoint string // the id of the endpoint; no URL
	Events   string // JSON objects, joined with commas
	Count    int    // of them
	Created  time.Time
	Attempts int // in vain
}

// Failure is what became of an attempt at a delivery.
type Failure struct {
	ID       int64
	Attempts int    // ever
	Reason   string // for people; holds neither URL nor secret
	At       time.Time
}

// Subject is what receivers were told of and may be told the end of: a channel that is
// occupied, or a member who was added. Channel and User are as clients sent
// them: any text.
type Subject struct {
	App     string
	Channel string
	Member  bool   // User is in Channel
	User    string // of a member
}
