package pusher

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// batch is the body of POST /apps/{id}/batch_events: publications to one channel each.
type batch struct {
	Batch []json.RawMessage `json:"batch"`
}

// batchEvents publishes several events in order, all or none: the first error in any of
// them refuses the whole batch before anything is published. The answer is {} or, when
// an event asks for info, a list with the info of each event, in the same order.
func (h *HTTPAPI) batchEvents(c *gin.Context, r request) *apiError {
	list, apiErr := parseBatch(r.app, r.body, h.counts())
	if apiErr == nil {
		apiErr = r.app.take(writes, len(list), h.now())
	}
	if apiErr != nil {
		return apiErr
	}
	ctx, cancel := publishing(c)
	defer cancel()
	if h.kept(ctx, r.app, list...) != nil {
		return errNotKept()
	}
	asked := false
	for i := range list {
		if _, err := h.publish(ctx, r.app, &list[i]); err != nil {
			return unavailable("batch[%d] could not be published; events before it are", i)
		}
		asked = asked || len(list[i].attributes) > 0
	}
	if !asked {
		writeEmpty(c)
		return nil
	}
	infos := make([]channelInfo, len(list))
	for i := range list {
		if infos[i], apiErr = h.info(ctx, r.app, list[i].Channels[0], list[i].attributes); apiErr != nil {
			return unavailable("the events are published, but the counts are not available now")
		}
	}
	writeJSON(c, http.StatusOK, map[string]any{"batch": infos})
	return nil
}

// parseBatch parses a batch. Its error is the first one, with the index of the event.
func parseBatch(app *App, body []byte, counts bool) ([]publication, *apiError) {
	if len(body) == 0 {
		return nil, badRequest("the body is missing")
	}
	apiErr := checkUTF8(body)
	var b batch
	if apiErr == nil {
		apiErr = decodeObject(body, &b, wholeBody)
	}
	switch {
	case apiErr != nil:
		return nil, apiErr
	case len(b.Batch) == 0:
		return nil, badRequest("batch is missing: it must list 1 to %d events", app.Limits.EventsPerBatch)
	case len(b.Batch) > app.Limits.EventsPerBatch:
		return nil, badRequest("Batch too large: it has %d events, at most %d are allowed", len(b.Batch), app.Limits.EventsPerBatch)
	}
	list := make([]publication, len(b.Batch))
	for i, raw := range b.Batch {
		at, p := place(i), &list[i]
		if apiErr := decodeObject(raw, p, at); apiErr != nil {
			return nil, apiErr
		}
		if apiErr := p.validateInBatch(app, counts); apiErr != nil {
			apiErr.Message = at.String() + ": " + apiErr.Message
			return nil, apiErr
		}
	}
	return list, nil
}

func (p *publication) validateInBatch(app *App, counts bool) *apiError {
	switch {
	case p.Channels != nil:
		return badRequest("an event of a batch goes to one channel: give channel, not channels")
	case p.Channel == nil:
		return badRequest("channel is missing")
	}
	return p.validateAlone(app, counts)
}

// validateAlone is validate for an event with one channel: errors name it channel, not
// channels[0].
func (p *publication) validateAlone(app *App, counts bool) *apiError {
	apiErr := p.validate(app, counts)
	if apiErr != nil {
		if rest, ok := strings.CutPrefix(apiErr.Message, "channels[0]: "); ok {
			apiErr.Message = "channel: " + rest
		}
	}
	return apiErr
}
