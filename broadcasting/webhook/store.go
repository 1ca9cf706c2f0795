package webhook

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Store keeps what is to be delivered and what receivers were told, across the end
// of the process.
//
// Several processes may share what is kept. Each names itself to the store with a text of
// its own, its owner. What is kept of an app belongs to the process that leases the app,
// and only that process delivers it and changes it. The lease ends when its time is over
// by the store's clock: processes hand in durations, never times, so their clocks do not
// have to agree. A lease whose time is over is its owner's still until another process
// takes it. A process calls the methods one at a time.
type Store interface {
	// Load leases apps as c says, and returns what is kept of those that c.Owner leases
	// now. The deliveries of an app are in the order in which they were committed, without
	// those that were given up.
	Load(ctx context.Context, c Claim) (Kept, error)
	// Renew lets the leases of the owner last for ttl from now, and returns their apps. An
	// app that is not among them is leased by another process, or was.
	Renew(ctx context.Context, owner string, ttl time.Duration) (apps []string, err error)
	// Release ends those of the owner's leases that are of the apps. Another process can
	// take them at once.
	Release(ctx context.Context, owner string, apps []string) error
	// Commit does all of b in one transaction and sets the IDs of b.New. The IDs of an app's
	// deliveries rise in the order of the commits, whichever process commits them. b.New may
	// be of any app; the rest of b must be of apps that the owner leases. If it is not,
	// nothing happens and the error is a *LeaseError. After another error Commit is called
	// again with the same b, of which nothing, or all, may have happened.
	Commit(ctx context.Context, owner string, b *Batch) error
	// Queued returns what other processes have committed to apps that the owner leases:
	// of each app in after, some of the deliveries whose ID is larger, in order, beginning
	// with the first. The result is empty only if there are none.
	Queued(ctx context.Context, owner string, after map[string]int64) ([]Delivery, error)
}

// Claim says which leases a process wants.
type Claim struct {
	Owner string
	TTL   time.Duration // how long the leases last
	// Apps are leased if no other process leases them.
	Apps []string
	// Rest claims all other apps that something is kept of, too.
	Rest bool
	// Alone says that no other process lives: leases of others are over.
	Alone bool
}

// Kept is what a Store keeps of some apps.
type Kept struct {
	Apps       []string // that are leased
	Deliveries []Delivery
	Announced  []Subject
}

// Batch is what changes in a Store at one time.
type Batch struct {
	New       []Delivery // to be kept
	Failed    []Failure  // tried in vain, kept
	GivenUp   []Failure  // kept for people to look at, and no more to be loaded
	Done      []Ref      // delivered, or dropped: to be removed
	Announced []Subject  // to be kept, if they are not
	Cleared   []Subject  // to be removed, if they are there
}

func (b *Batch) empty() bool {
	return len(b.New)+len(b.Failed)+len(b.GivenUp)+len(b.Done)+len(b.Announced)+len(b.Cleared) == 0
}

// Leased are the apps of which b changes what only the process with the lease may change.
// It may name an app more than once.
func (b *Batch) Leased() (apps []string) {
	for _, list := range [][]Failure{b.Failed, b.GivenUp} {
		for _, f := range list {
			apps = append(apps, f.App)
		}
	}
	for _, d := range b.Done {
		apps = append(apps, d.App)
	}
	for _, list := range [][]Subject{b.Announced, b.Cleared} {
		for _, s := range list {
			apps = append(apps, s.App)
		}
	}
	return apps
}

// LeaseError says that a process may not change what is kept of apps, because it does
// not lease them, or no longer. Nothing was changed.
type LeaseError struct{ Apps []string }

// Error implements error.
func (e *LeaseError) Error() string {
	return fmt.Sprintf("webhook: the lease is not held for app %s", strings.Join(e.Apps, ", "))
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

// Ref names a delivery.
type Ref struct {
	App string
	ID  int64
}

// Failure is what became of an attempt at a delivery.
type Failure struct {
	Ref
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
