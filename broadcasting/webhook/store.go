package webhook

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Store keeps deliveries, and what receivers were told, across restarts of the process.
//
// Several processes may share a store. Each identifies itself by a text of its own, its
// owner. What is kept of an app belongs to the process that leases the app; only that
// process delivers and changes it. A lease ends when its time is over by the store's
// clock: processes pass durations, never times, so their clocks do not have to agree.
// An expired lease remains its owner's until another process takes it. A process calls
// the methods one at a time, except Report and States.
type Store interface {
	// Load leases apps as c says, and returns what is kept of the apps that c.Owner
	// leases now. The deliveries of an app are in the order in which they were
	// committed, without those that were given up.
	Load(ctx context.Context, c Claim) (Kept, error)
	// Renew extends the leases of the owner to ttl from now, and returns their apps. An
	// app that is missing from the result is, or was, leased by another process.
	Renew(ctx context.Context, owner string, ttl time.Duration) (apps []string, err error)
	// Release ends the owner's leases of the apps. Another process can take them at
	// once.
	Release(ctx context.Context, owner string, apps []string) error
	// Commit applies b in one transaction and sets the IDs of b.New. The IDs of an
	// app's deliveries rise in the order of the commits, whichever process commits
	// them. b.New may be of any app; the rest of b must be of apps that the owner
	// leases. If it is not, nothing happens and the error is a *LeaseError. After any
	// other error, Commit is called again with the same b, of which all or nothing may
	// have been applied.
	Commit(ctx context.Context, owner string, b *Batch) error
	// Queued returns what other processes have committed to apps that the owner leases:
	// for each app in after, some of the deliveries with a larger ID, in order,
	// beginning with the first. The result is empty only if there are none.
	Queued(ctx context.Context, owner string, after map[string]int64) ([]Delivery, error)
	// Report keeps attempts for people to look at: the newest ones of each endpoint. It
	// also keeps the states in r, except those of apps that the owner does not lease and
	// those from before a person resumed the endpoint.
	Report(ctx context.Context, owner string, r *Report) error
	// States returns the states that are kept of the apps that the owner leases. An
	// endpoint that is missing has the zero state.
	States(ctx context.Context, owner string) ([]State, error)
}

// Claim describes the leases that a process wants.
type Claim struct {
	Owner string
	TTL   time.Duration // how long the leases last
	// Apps are leased if no other process leases them.
	Apps []string
	// Rest also claims all other apps of which something is kept.
	Rest bool
	// Alone says that no other process lives, so leases of others have ended.
	Alone bool
}

// Kept is what a Store keeps of some apps.
type Kept struct {
	Apps       []string // that are leased
	Deliveries []Delivery
	Announced  []Subject
	States     []State
}

// Batch is a set of changes that a Store applies together.
type Batch struct {
	New       []Delivery // to be kept
	Failed    []Failure  // failed and to be retried
	Done      []Ref      // delivered, dropped or given up, to be removed
	GivenUp   []Attempt  // what was given up of them, to be kept as Report keeps attempts
	Announced []Subject  // to be kept, unless they are already
	Cleared   []Subject  // to be removed, if they are there
}

func (b *Batch) empty() bool {
	return len(b.New)+len(b.Failed)+len(b.GivenUp)+len(b.Done)+len(b.Announced)+len(b.Cleared) == 0
}

// Leased returns the apps for which b needs the lease. It may name an app more than
// once.
func (b *Batch) Leased() (apps []string) {
	for _, f := range b.Failed {
		apps = append(apps, f.App)
	}
	for _, a := range b.GivenUp {
		apps = append(apps, a.App)
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

// LeaseError is returned to a process that may not change what is kept of apps, because
// it does not, or no longer, lease them. Nothing was changed.
type LeaseError struct{ Apps []string }

// Error implements error.
func (e *LeaseError) Error() string {
	return fmt.Sprintf("webhook: the lease is not held for app %s", strings.Join(e.Apps, ", "))
}

// Delivery is one or more events that are to be delivered to an endpoint.
type Delivery struct {
	ID       int64
	App      string
	Endpoint string // the id of the endpoint, not its URL
	Events   string // JSON objects, joined with commas
	Count    int    // number of events
	Created  time.Time
	Attempts int // failed ones
}

// Ref names a delivery.
type Ref struct {
	App string
	ID  int64
}

// Failure is a failed attempt at a delivery.
type Failure struct {
	Ref
	Attempts int    // in total
	Reason   string // for people; holds neither URL nor secret
	At       time.Time
}

// Subject is a channel that is occupied, or a member that was added. Receivers are told
// of its beginning and end. Channel and User are as clients sent them: any text.
type Subject struct {
	App     string
	Channel string
	Member  bool   // User is in Channel
	User    string // of a member
}
