package apps

import "context"

// Store is where the apps come from that change while the server runs. It is safe for
// concurrent use. Every Store passes appstest.StoreContract.
type Store interface {
	// LoadApps returns all apps with their secrets, oldest first, and a version that the
	// list has at least: of a change that is made meanwhile the list may know more than
	// the version. The list is the caller's own.
	LoadApps(ctx context.Context) (list []App, version int64, err error)
	// AppsVersion returns a number that rises with each change of an app, whoever made
	// it. It is cheap: servers ask each second.
	AppsVersion(ctx context.Context) (int64, error)
}
