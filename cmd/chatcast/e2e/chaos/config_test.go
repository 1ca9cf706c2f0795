package chaos

import (
	"fmt"
	"os"
	"path/filepath"

	"chatcast/cmd/chatcast/e2e"
	"chatcast/models/testdb"
)

// configure writes the configurations of the nodes and returns their paths. They differ in
// the way to the database, which can be cut for each.
func (w *world) configure() (paths []string) {
	w.t.Helper()
	dir := w.t.TempDir()
	for i := range nodeCount {
		w.proxies[i] = testdb.Between(w.t, w.database)
		text := fmt.Sprintf(`
server: {address: "127.0.0.1:0", internal_address: "", drain_time: 200ms}
database: {url: %q}
bus: {url: %q}
files: {dir: %q}
webhooks: {allow_private_targets: true}
limits: {activity_timeout: %v, pong_timeout: %v, queue_bytes: 262144}
bootstrap: {user: {password: %q}}
apps:
  - {id: "1", key: %s}
  - {id: "2", key: %s, secret: %q, webhooks: [{url: %q}]}
`, w.proxies[i].URL, w.bus, filepath.Join(dir, "files"), activityTimeout, pongTimeout, e2e.OwnerPassword, crmKey, appKey, appSecret, w.receivers[2].server.URL)
		path := filepath.Join(dir, fmt.Sprintf("node%d.yaml", i))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			w.t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}
