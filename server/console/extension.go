package console

import (
	"archive/zip"
	"bytes"
	"embed"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
)

// extensionFiles is the browser extension that uses passkeys on WhatsApp's page.
//
//go:embed clients/passkey
var extensionFiles embed.FS

const extensionFolder = "clients/passkey"

// extension answers with the browser extension, packed, and allowed on the pages of this
// server alone.
func (c *Console) extension(g *gin.Context) {
	base := c.view(g.Request).Base
	if u, err := url.Parse(base); err != nil || !validHost(u.Host) {
		c.NotFound(g) // browsers have no patterns for such an address
		return
	}
	packed, err := packExtension(strings.TrimSuffix(base, "/") + "/*")
	if err != nil {
		_ = g.AbortWithError(http.StatusInternalServerError, err)
		return
	}
	g.Header("Content-Disposition", `attachment; filename="chatcast-passkey.zip"`)
	g.Header("Cache-Control", "no-store")
	g.Data(http.StatusOK, "application/zip", packed)
}

// packExtension returns the extension as a zip. Its content script runs on the pages of
// the pattern.
func packExtension(pages string) ([]byte, error) {
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
			if content, err = manifestFor(content, pages); err != nil {
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

func manifestFor(manifest []byte, pages string) ([]byte, error) {
	var m map[string]any
	if err := json.Unmarshal(manifest, &m); err != nil {
		return nil, err
	}
	for _, script := range m["content_scripts"].([]any) {
		script.(map[string]any)["matches"] = []string{pages}
	}
	return json.MarshalIndent(m, "", "  ")
}
