package pusher

import (
	"context"
	"fmt"
	"time"

	"chatcast/broadcasting"
	"chatcast/channels"
	"chatcast/channels/refusals"
)

// clientEvent sends an event to the others of a channel.
func (k *socket) clientEvent(m message, now time.Time) {
	member, no := k.refusesClientEvent(m)
	k.events.resize(k.app().Limits.ClientEventsPerSecond)
	if no.reason == "" && !k.events.take(now) {
		k.state.counters.hit(limitClientEvents)
		no = rejection{refusals.Throttled, "Client event rejected due to rate limit"}
	}
	if no.reason != "" {
		k.refused(refusals.ClientEvent, no.reason, m.Channel)
		k.sendError(codeRejected, no.message)
		return
	}
	ev := broadcasting.Event{
		App: k.app().ID, Channel: m.Channel, Name: m.Event, Data: string(m.Data), Object: true, Except: k.id,
	}
	if member != nil {
		ev.UserID = member.ID
	}
	ctx, cancel := context.WithTimeout(context.Background(), publishTimeout)
	defer cancel()
	if err := k.srv.opt.Engine.Publish(ctx, ev); err != nil {
		k.srv.faults.Error(ctx, k.srv.opt.Log, "client event not published", "socket", k.id, "channel", m.Channel, "error", err)
		k.refused(refusals.ClientEvent, refusals.Unavailable, m.Channel)
		k.sendError(codeRejected, "Client event rejected: it could not be published")
		return
	}
	k.state.counters.clientEvents.Add(1)
	k.srv.opt.Engine.ClientSent(ev)
}

// rejection is why a client event may not be sent: a word for us, and a sentence for the
// client.
type rejection struct {
	reason  refusals.Reason
	message string
}

// refusesClientEvent returns why a client event may not be sent, the zero rejection when
// it may, and the member that sends it on a presence channel.
func (k *socket) refusesClientEvent(m message) (member *broadcasting.Member, no rejection) {
	name, err := channels.Parse(m.Channel)
	switch {
	case !k.app().ClientEvents:
		return nil, rejection{refusals.Disabled, "The app does not have client events enabled"}
	case len(m.Event) > maxEventName:
		return nil, rejection{refusals.TooLarge, fmt.Sprintf("Client event rejected: its name is over %d bytes", maxEventName)}
	case err != nil:
		return nil, rejection{refusals.BadRequest, "Client event rejected: " + sentence(err)}
	case !name.Guarded():
		return nil, rejection{refusals.BadRequest, "Client event rejected: only private and presence channels have them"}
	case len(m.Data) > k.app().Limits.EventBytes:
		k.state.counters.hit(limitEventBytes)
		return nil, rejection{refusals.TooLarge, fmt.Sprintf("Client event rejected: its data is over %d bytes", k.app().Limits.EventBytes)}
	}
	member, in := k.conn.Subscribed(m.Channel)
	if !in {
		return nil, rejection{refusals.NotSubscribed, "Client event rejected: the connection is not subscribed to " + m.Channel}
	}
	if err := name.CheckClientEvent(m.Event, m.Data); err != nil {
		return nil, rejection{refusals.Denied, "Client event rejected: " + sentence(err)}
	}
	return member, rejection{}
}
