package console

import (
	"bytes"
	_ "embed" // page.html
	"html/template"
	"net"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// Channel is an entry of the page's list.
type Channel struct {
	Name   string
	Who    string
	Events []string
	Same   string // shown instead of Events
}

// view is the data of page.html.
type view struct {
	*Console
	Base      string // http://host:port/base
	Host      string
	Port      string
	TLS       bool
	Messenger string
	Channels  []Channel
}

// landing answers with the page of a program that has no console.
func (c *Console) landing(g *gin.Context) {
	var body bytes.Buffer
	if err := page.Execute(&body, c.view(g.Request)); err != nil {
		_ = g.AbortWithError(http.StatusInternalServerError, err)
		return
	}
	protect(g.Writer.Header(), landing)
	g.Data(http.StatusOK, "text/html; charset=utf-8", body.Bytes())
}

// view returns the page's data for the address that the browser uses. Behind a proxy
// that ends TLS, X-Forwarded-Proto tells the scheme. It affects only what the examples
// show.
func (c *Console) view(r *http.Request) view {
	v := view{Console: c, Host: r.Host, Port: "80", Messenger: "grWhatsApp"}
	v.TLS = r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
	scheme := "http"
	if v.TLS {
		scheme, v.Port = "https", "443"
	}
	if host, port, err := net.SplitHostPort(r.Host); err == nil {
		v.Host, v.Port = host, port
	}
	v.Base = scheme + "://" + r.Host + c.BasePath
	if len(c.Messengers) > 0 {
		v.Messenger = c.Messengers[0]
	}
	v.Channels = channelTable
	return v
}

var channelTable = []Channel{
	{Name: "private-v1.licenses.{licenseId}.messengers.{type}", Who: "who may read the licence", Events: []string{
		"message", "messageStatus", "chatTag", "chatStatus", "chatResponsible", "chatResponsiblePin", "chatProducer",
		"chatAccomplice", "chatAuditor", "chatLevel", "chatConversation", "chatRead", "chatProcess", "messageEdit", "messageDelete",
		"messengerStatus", "qr", "chatMerge", "chatGroup", "chatPresence", "chatName", "contactName", "contactBlock", "chatState", "call", "instance", "companyTag",
	}},
	{Name: "private-v1.companies.{companyId}", Who: "the company's employees", Events: []string{"employeeStatus", "employeeWorkday", "companyTag"}},
	{Name: "private-v1.users.{userId}", Who: "that user", Events: []string{"quickResponseList", "quickResponse"}},
	{Name: "private-v1.companies.{companyId}.users.{userId}", Who: "that user", Same: "the events of all licences, of the chats that this user may see"},
	{Name: "presence-v1.… of the first two", Who: "the same people", Same: "who is looking: members added and removed"},
}
