package console

import (
	"archive/zip"
	"bytes"
	"embed"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
)

// extensionFiles is the browser extension that uses passkeys on WhatsApp's page.
//
//go:embed clients/passkey
var extensionFiles embed.FS

const (
	extensionFolder = "clients/passkey"
	whatsAppPages   = "https://web.whatsapp.com/*"
)

// extension answers with the browser extension, packed, and allowed on the console's page
// of this server alone. There is none for a server that others on the network could speak
// for: what a person confirms must come from the server that they know.
func (c *Console) extension(g *gin.Context) {
	page, ok := c.consolePage(g.Request)
	if !ok {
		c.NotFound(g)
		return
	}
	packed, err := packExtension(page)
	if err != nil {
		_ = g.AbortWithError(http.StatusInternalServerError, err)
		return
	}
	g.Header("Content-Disposition", `attachment; filename="chatcast-passkey.zip"`)
	g.Header("Cache-Control", "no-store")
	g.Data(http.StatusOK, "application/zip", packed)
}

// consolePage returns the address of the console for the browser that asks. It returns
// false when browsers have no pattern for it, or when it has neither https nor is on the
// browser's own computer.
func (c *Console) consolePage(r *http.Request) (string, bool) {
	u, err := url.Parse(c.view(r).Base)
	if err != nil {
		return "", false
	}
	if public, err := url.Parse(c.PublicURL); err == nil && public.Host == u.Host {
		u.Scheme = public.Scheme // the settings know better than a header
	}
	if !validHost(u.Host) || u.Scheme != "https" && !loopback(u.Hostname()) {
		return "", false
	}
	return strings.TrimSuffix(u.String(), "/") + "/", true
}

// loopback reports whether browsers reach a host without a network.
func loopback(host string) bool {
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// packExtension returns the extension as a zip, for the console at the address page.
func packExtension(page string) ([]byte, error) {
	var out bytes.Buffer
	to := zip.NewWriter(&out)
	err := fs.WalkDir(extensionFiles, extensionFolder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := extensionFiles.ReadFile(path)
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, extensionFolder+"/")
		if name == "manifest.json" {
			if content, err = manifestFor(content, page); err != nil {
				return err
			}
		}
		file, err := to.Create("chatcast-passkey/" + name)
		if err == nil {
			_, err = file.Write(content)
		}
		return err
	})
	if err == nil {
		err = to.Close()
	}
	return out.Bytes(), err
}

// manifestFor returns the manifest for the console at the address page: the extension runs
// on that page, and may reach the API beside it, and WhatsApp's page.
func manifestFor(manifest []byte, page string) ([]byte, error) {
	var m map[string]any
	if err := json.Unmarshal(manifest, &m); err != nil {
		return nil, err
	}
	for _, script := range m["content_scripts"].([]any) {
		script.(map[string]any)["matches"] = []string{page}
	}
	m["host_permissions"] = []string{whatsAppPages, page + "v1/*"}
	return json.MarshalIndent(m, "", "  ")
}
