package apps

import "context"

// Store is the source of the apps that change while the server runs. It is safe for
// concurrent use. Every Store must pass appstest.StoreContract.
type Store interface {
	// LoadApps returns all apps with their secrets, oldest first, and a version. The
	// list is at least as new as the version: it may include later changes made
	// meanwhile. The caller owns the list.
	LoadApps(ctx context.Context) (list []App, version int64, err error)
	// AppsVersion returns a number that rises with each change of an app by any
	// process. It is cheap: servers call it every second.
	AppsVersion(ctx context.Context) (int64, error)
}
