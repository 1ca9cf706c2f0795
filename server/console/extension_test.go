package console_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestPasskeyExtension checks that the extension is handed out whole, that it may run on
// the console's page of the address that the browser uses alone, and reach the API there
// and WhatsApp's page alone. There is none for an address that others on the network could
// answer for.
func TestPasskeyExtension(t *testing.T) {
	handler := server(t, built())
	for host, c := range map[string]struct{ proto, page string }{
		"127.0.0.1:6001":      {"", "http://127.0.0.1:6001/"},
		"localhost":           {"", "http://localhost/"},
		"chat.localhost:6001": {"", "http://chat.localhost:6001/"},
		"chat.example":        {"https", "https://chat.example/"},
		"chat.example:6001":   {"https", "https://chat.example:6001/"},
	} {
		w := ask(t, handler, "GET", "/passkey-extension.zip", "Host", host, "X-Forwarded-Proto", c.proto)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/zip" || w.Header().Get("Cache-Control") != "no-store" {
			t.Fatalf("%s: %d %v", host, w.Code, w.Header())
		}
		files, err := zip.NewReader(bytes.NewReader(w.Body.Bytes()), int64(w.Body.Len()))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"README.md", "background.js", "content.js", "confirm.html", "confirm.css", "confirm.js", "options.js"} {
			packed, err := fs.ReadFile(files, "chatcast-passkey/"+name)
			source, _ := os.ReadFile(filepath.Join("clients/passkey", name)) // what is missing differs
			if err != nil || !bytes.Equal(packed, source) {
				t.Errorf("%s: %v, %d bytes of %d", name, err, len(packed), len(source))
			}
		}
		packed, err := fs.ReadFile(files, "chatcast-passkey/manifest.json")
		if err != nil {
			t.Fatal(err)
		}
		var manifest map[string]any
		if err := json.Unmarshal(packed, &manifest); err != nil {
			t.Fatal(err)
		}
		scripts, _ := json.Marshal(manifest["content_scripts"]) // it was decoded from JSON
		hosts, _ := json.Marshal(manifest["host_permissions"])
		if string(hosts) != `["https://web.whatsapp.com/*","`+c.page+`v1/*"]` || string(scripts) != `[{"js":["content.js"],"matches":["`+c.page+`"],"run_at":"document_start"}]` {
			t.Errorf("%s: it may use %s and runs as %s", host, hosts, scripts)
		}
		for name := range manifest {
			if !slices.Contains([]string{
				"manifest_version", "name", "description", "version", "minimum_chrome_version", "permissions", "host_permissions", "background", "content_scripts",
			}, name) {
				t.Errorf("the manifest has %s, which nobody looked at", name)
			}
		}
	}
	for _, host := range []string{
		"[::1]:6001", "*", "a*.example", "a,b", `x"y`, "chat.example", "chat.example:6001", "192.168.1.5:6001", "10.0.0.1", "127.0.0.1.example", "localhost.example", "notlocalhost",
	} {
		if w := ask(t, handler, "GET", "/passkey-extension.zip", "Host", host); w.Code != http.StatusNotFound {
			t.Errorf("%q: %d", host, w.Code)
		}
	}
}
