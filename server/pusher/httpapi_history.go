package pusher

import (
	"context"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"chatcast/broadcasting"
)

// History keeps the events of those channels of apps whose settings say so.
type History interface {
	// Keep adds events to their channels' history, all or none, and publishes them. When it
	// returns nil, they can be read.
	Keep(ctx context.Context, list []broadcasting.KeptEvent) error
	// Of returns the history of an app.
	Of(app string) broadcasting.History
	// Position returns a number up to which this node's subscribers have got all events.
	Position() int64
}

// Pages of a channel's history.
const (
	defaultPage = 100
	maxPage     = 1000
)

// kept adds those events to the history that go to channels with one, in one step, so that
// none is kept if one cannot be.
func (h *HTTPAPI) kept(ctx context.Context, app *App, list ...publication) error {
	if len(app.history) == 0 || h.History == nil {
		return nil
	}
	var events []broadcasting.KeptEvent
	for _, p := range list {
		for _, channel := range p.Channels {
			if keep, _ := app.history.Of(channel); keep > 0 {
				events = append(events, broadcasting.KeptEvent{Event: p.event(app, channel), Keep: keep})
			}
		}
	}
	if len(events) == 0 {
		return nil
	}
	if err := h.History.Keep(ctx, events); err != nil {
		h.faults.Error(ctx, h.Log, "events were not stored, and not published", "app", app.ID, "events", len(events), "error", err)
		return err
	}
	app.counters.published.Add(uint64(len(events)))
	return nil
}

// keeps reports whether the events of a channel are published by its history.
func (h *HTTPAPI) keeps(app *App, channel string) bool {
	if len(app.history) == 0 || h.History == nil {
		return false
	}
	keep, _ := app.history.Of(channel)
	return keep > 0
}

// errNotKept answers a publish to channels with a history, when the history is away.
func errNotKept() *apiError {
	return unavailable("the history is not available now; nothing was published, as far as is known")
}

// channelHistory answers GET /apps/{id}/channels/{name}/events.
type channelHistory struct {
	Events []historyEvent `json:"events"`
	// LastEventID is where to go on: all up to it is in this answer and those before.
	LastEventID int64 `json:"last_event_id"`
	More        bool  `json:"more"` // there may be more now
}

type historyEvent struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Data   string `json:"data"`
	TimeMS int64  `json:"time_ms"`
}

// channelEvents lists the events of a channel that are kept, after one of them.
func (h *HTTPAPI) channelEvents(c *gin.Context, r request) *apiError {
	name, apiErr := channelName(c)
	if apiErr != nil {
		return apiErr
	}
	after, ok, text := int64(0), true, r.query.get("after")
	if text == resumeNow {
		after = cursorUnknown // nothing is kept after it, so nothing is read
	} else if text != "" {
		if after, ok = parseCursor(text); !ok {
			return badRequest("after must be the id of an event, a decimal number, or now")
		}
	}
	limit := defaultPage
	if text := r.query.get("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxPage {
			return badRequest("limit must be from 1 to %d", maxPage)
		}
	}
	if !h.keeps(r.app, name.Full) {
		return &apiError{Status: http.StatusNotFound, Message: "channel: the app keeps no history of " + name.Full}
	}
	found, err := h.History.Of(r.app.ID).Since(c.Request.Context(), name.Full, "", after, limit)
	switch {
	case err != nil:
		h.faults.Error(c.Request.Context(), h.Log, "reading a history failed", "app", r.app.ID, "channel", name.Full, "error", err)
		return unavailable("the history is not available now")
	case text == resumeNow:
		found.Entries, found.More = nil, false
	case found.Lost:
		return &apiError{
			Status: http.StatusGone, Message: "after: the events that follow it are no longer all kept, or it is no id that was given",
			OldestEventID: &found.Oldest, LastEventID: &found.Through,
		}
	}
	answer := channelHistory{Events: make([]historyEvent, len(found.Entries)), LastEventID: found.Through, More: found.More}
	for i, e := range found.Entries {
		answer.Events[i] = historyEvent{ID: e.Seq, Name: e.Name, Data: e.Data, TimeMS: e.TimeMS}
		if found.More {
			answer.LastEventID = e.Seq
		}
	}
	writeJSON(c, http.StatusOK, answer)
	return nil
}
