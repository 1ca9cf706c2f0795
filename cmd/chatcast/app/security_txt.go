package app

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

const securityTxtPath = "/.well-known/security.txt"

// securityTxtLife is how long what security.txt says is valid. RFC 9116 wants less than a
// year.
const securityTxtLife = 90 * 24 * time.Hour

// securityTxt serves security.txt (RFC 9116), which tells where to report a weakness of
// this server. Without a contact there is none.
type securityTxt struct {
	contact   string // a URI; empty: none
	publicURL string
	notFound  gin.HandlerFunc
}

func (s securityTxt) register(r gin.IRouter) {
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		r.Handle(method, securityTxtPath, s.serve)
	}
}

func (s securityTxt) serve(c *gin.Context) {
	if s.contact == "" {
		s.notFound(c)
		return
	}
	text := fmt.Sprintf("Contact: %s\nExpires: %s\n", s.contact, time.Now().UTC().Add(securityTxtLife).Truncate(24*time.Hour).Format(time.RFC3339))
	if strings.HasPrefix(s.publicURL, "https://") {
		text += "Canonical: " + s.publicURL + securityTxtPath + "\n"
	}
	c.Header("Cache-Control", "public, max-age=3600")
	c.Data(http.StatusOK, "text/plain; charset=utf-8", []byte(text))
}
