package api

import (
	"cmp"
	"context"
	"math"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/crm"
	"chatcast/server"
)

// Monitor provides the figures of GET /v1/server.
type Monitor interface {
	Counters() server.Counters
	History() []server.Sample
}

// Hub knows which channels have subscribers.
type Hub interface {
	Channels(ctx context.Context, app, prefix string) ([]broadcasting.Occupancy, error)
}

var (
	_ Monitor = (*server.Monitor)(nil)
	_ Hub     = (*broadcasting.Engine)(nil)
)

// Node describes the server itself, for GET /v1/server.
type Node struct {
	Monitor   Monitor
	Hub       Hub
	Version   string
	Commit    string
	Started   time.Time
	Retention time.Duration // of the journal
}

// The default and the maximum number of channels that GET /v1/server lists.
const (
	defaultChannels = 100
	maxChannels     = 500
)

// ServerData is the answer of GET /v1/server.
type ServerData struct {
	Version       string          `json:"version"`
	Commit        string          `json:"commit"`
	Go            string          `json:"go"`
	StartedAt     int64           `json:"startedAt"`
	Now           int64           `json:"now"`
	Sockets       ServerSockets   `json:"sockets"`
	Engine        ServerEngine    `json:"engine"`
	Journal       ServerJournal   `json:"journal"`
	History       ServerHistory   `json:"history"`
	Channels      []ServerChannel `json:"channels"`      // with the most subscriptions first
	ChannelsTotal int             `json:"channelsTotal"` // all channels with the prefix
}

// ServerSockets counts the sockets.
type ServerSockets struct {
	Open     int                      `json:"open"`
	Accepted uint64                   `json:"accepted"` // since the start
	Ended    map[server.Reason]uint64 `json:"ended"`    // since the start
}

// ServerEngine counts channels, users and events.
type ServerEngine struct {
	Channels  int    `json:"channels"`
	Users     int    `json:"users"`
	Published uint64 `json:"published"` // since the start
	Delivered uint64 `json:"delivered"` // since the start
}

// ServerJournal is the state of the journal.
type ServerJournal struct {
	First     int64 `json:"first"`
	Last      int64 `json:"last"`
	Pending   int64 `json:"pending"`
	Leading   bool  `json:"leading"`
	Ready     bool  `json:"ready"`
	Retention int64 `json:"retention"` // seconds; 0: for ever
}

// ServerHistory shows how busy the server was.
type ServerHistory struct {
	Interval int64          `json:"interval"` // seconds
	Samples  []ServerSample `json:"samples"`  // oldest first
}

// ServerSample is one sample. All figures but Sockets are per second.
type ServerSample struct {
	Time      int64   `json:"time"`
	Sockets   int     `json:"sockets"`
	Accepted  float64 `json:"accepted"`
	Ended     float64 `json:"ended"`
	Published float64 `json:"published"`
	Delivered float64 `json:"delivered"`
	Journal   float64 `json:"journal"`
}

// ServerChannel is a channel with subscribers.
type ServerChannel struct {
	App           string `json:"app"`
	Name          string `json:"name"`
	Subscriptions int    `json:"subscriptions"`
	Users         *int   `json:"users"` // null if it is not a presence channel
}

func (a *API) registerServer(signedIn gin.IRouter) {
	signedIn.GET("/server", a.serve(a.server))
}

// server answers with the state of this node. It checks the permission before it looks
// at the request.
func (a *API) server(c *gin.Context) (any, error) {
	journal, err := a.CRM.WatchServer(c.Request.Context(), actor(c))
	if err != nil {
		return nil, err
	}
	limit, err := queryChannels(c)
	if err != nil {
		return nil, err
	}
	prefix := c.Query("prefix")
	if len(prefix) > channels.MaxLength {
		return nil, crm.Invalid("prefix", "must have at most %d bytes", channels.MaxLength)
	}
	all, err := a.Node.Hub.Channels(c.Request.Context(), "", prefix)
	if err != nil {
		return nil, err
	}
	data := a.Node.figures(journal)
	data.ChannelsTotal = len(all)
	data.Channels = serverChannels(mostSubscribed(all, limit))
	return data, nil
}

// queryChannels returns how many channels the query asks for.
func queryChannels(c *gin.Context) (int, error) {
	text, given := c.GetQuery("limit")
	if !given {
		return defaultChannels, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxChannels {
		return 0, crm.Invalid("limit", "must be from 1 to %d", maxChannels)
	}
	return n, nil
}

func (n Node) figures(journal *crm.JournalState) *ServerData {
	now := n.Monitor.Counters()
	data := &ServerData{
		Version: n.Version, Commit: n.Commit, Go: runtime.Version(),
		StartedAt: n.Started.Unix(), Now: time.Now().Unix(),
		Sockets: ServerSockets{Open: now.Sockets.Open, Accepted: now.Sockets.Accepted, Ended: now.Sockets.Ended},
		Engine: ServerEngine{
			Channels: now.Engine.Channels, Users: now.Engine.Users,
			Published: now.Engine.Published, Delivered: now.Engine.Delivered,
		},
		Journal: ServerJournal{
			First: journal.First, Last: journal.Last, Pending: journal.Pending,
			Leading: now.Relay.Leading, Ready: now.Ready, Retention: int64(n.Retention.Seconds()),
		},
		History: ServerHistory{Interval: int64(server.MonitorInterval.Seconds()), Samples: []ServerSample{}},
	}
	for _, s := range n.Monitor.History() {
		data.History.Samples = append(data.History.Samples, ServerSample{
			Time: s.Time.Unix(), Sockets: s.Sockets, Accepted: rounded(s.Accepted), Ended: rounded(s.Ended),
			Published: rounded(s.Published), Delivered: rounded(s.Delivered), Journal: rounded(s.Journal),
		})
	}
	return data
}

// rounded rounds a rate to three decimals: a sample never takes exactly its interval, so
// further digits would be noise.
func rounded(rate float64) float64 { return math.Round(rate*1000) / 1000 }

// mostSubscribed returns the first limit channels, sorted by subscriptions, then by name
// and app. It sorts no more than it returns: of ten thousand channels a page shows a
// hundred.
func mostSubscribed(all []broadcasting.Occupancy, limit int) []broadcasting.Occupancy {
	order := func(a, b broadcasting.Occupancy) int {
		return cmp.Or(b.Subscriptions-a.Subscriptions, cmp.Compare(a.Name, b.Name), cmp.Compare(a.App, b.App))
	}
	top := make([]broadcasting.Occupancy, 0, min(limit, len(all))+1)
	for _, o := range all {
		if len(top) == limit && order(top[limit-1], o) <= 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(top, o, order)
		top = slices.Insert(top, at, o)
		top = top[:min(len(top), limit)]
	}
	return top
}

func serverChannels(top []broadcasting.Occupancy) []ServerChannel {
	list := make([]ServerChannel, len(top))
	for i, o := range top {
		list[i] = ServerChannel{App: o.App, Name: o.Name, Subscriptions: o.Subscriptions}
		if o.Presence {
			list[i].Users = &o.Users
		}
	}
	return list
}
