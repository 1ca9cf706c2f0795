package pusher

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"chatcast/broadcasting"
	"chatcast/channels/refusals"
)

// maxWatchlist is how many users one socket may watch; of a longer list only the first
// are watched.
const maxWatchlist = 100

// signIn is the data of pusher:signin.
type signIn struct {
	Auth     string `json:"auth"`
	UserData string `json:"user_data"`
}

func parseSignIn(data json.RawMessage) (s signIn, err error) {
	if len(data) == 0 {
		//lint:ignore ST1005 a sentence for the client
		return s, errors.New("The message has no data")
	}
	if err := decode(data, &s, "data"); err != nil {
		return signIn{}, err
	}
	if s.UserData == "" {
		return signIn{}, errors.New("data.user_data is missing")
	}
	return s, nil
}

// user is the user that a socket is signed in as.
type user struct {
	ofCRM               bool     // signed for by /broadcasting/user-auth, not by the app's backend
	broadcasting.Member          // used in presence channels without channel_data
	watchlist           []string // each once, at most maxWatchlist
	watchedTooMany      bool     // the list was longer
}

// parseUser reads user_data, whose signature must already be verified.
func parseUser(userData string) (*user, error) {
	var data struct {
		ID        json.RawMessage   `json:"id"`
		Info      json.RawMessage   `json:"user_info"`
		Watchlist []json.RawMessage `json:"watchlist"`
	}
	if err := decode([]byte(userData), &data, "user_data"); err != nil {
		return nil, err
	}
	id, err := userID(data.ID)
	if err != nil {
		return nil, fmt.Errorf("user_data: id %w", err)
	}
	u := &user{Member: broadcasting.Member{ID: id, Info: infoOf(data.Info)}, watchedTooMany: len(data.Watchlist) > maxWatchlist}
	for i, raw := range data.Watchlist[:min(len(data.Watchlist), maxWatchlist)] {
		id, err := userID(raw)
		if err != nil {
			return nil, fmt.Errorf("user_data: watchlist[%d] %w", i, err)
		}
		if !slices.Contains(u.watchlist, id) {
			u.watchlist = append(u.watchlist, id)
		}
	}
	return u, nil
}

// signIn signs the socket in as a user.
func (k *socket) signIn(m message) {
	s, err := parseSignIn(m.Data)
	if err != nil {
		k.refused(refusals.SocketSignIn, refusals.BadRequest, "")
		k.sendError(codeBadMessage, "pusher:signin: "+err.Error())
		return
	}
	if !k.app().VerifyUser(s.Auth, k.id, s.UserData) {
		k.refused(refusals.SocketSignIn, refusals.BadSignature, "")
		k.sendError(codeBadSignIn, "Auth value for sign-in is invalid")
		return
	}
	u, err := parseUser(s.UserData)
	if err != nil {
		k.refused(refusals.SocketSignIn, refusals.BadRequest, "")
		k.sendError(codeBadUser, err.Error())
		return
	}
	switch err := k.become(u, s.UserData); {
	case errors.Is(err, broadcasting.ErrOtherUser):
		k.refused(refusals.SocketSignIn, refusals.OtherOwner, "")
		k.sendError(codeBadSignIn, "The connection is signed in as another user already")
		return
	case err != nil:
		return // the socket is closed
	}
	k.user = u
	k.proven()
	if u.watchedTooMany {
		k.sendError(codeWatchlist, fmt.Sprintf("The watchlist has more than %d users: the first %d are watched", maxWatchlist, maxWatchlist))
	}
}

// become makes the socket the user's. Users of the CRM and users of the app are
// different people, even with the same id. What makes a user one of the CRM is that the
// engine was told so by /broadcasting/user-auth: its signatures are made with the app's
// secret, which the app's backend has as well. Users of the CRM are not among the app's
// signed-in users: they are not online for the app's watchlists, cannot be terminated by
// its backend, and get nothing that is sent to a user of the app.
func (k *socket) become(u *user, userData string) error {
	u.ofCRM = k.conn.Identified(u.ID)
	switch {
	case k.user != nil && k.user.ofCRM != u.ofCRM:
		return broadcasting.ErrOtherUser
	case u.ofCRM:
		k.session.Queue(dialect{}.SignedIn(userData))
		return nil
	}
	return k.conn.SignIn(broadcasting.Identity{UserID: u.ID, Data: userData, Watchlist: u.watchlist})
}

// member returns the socket's member of a presence channel: from the signed
// channel_data or, when there is none, from the app's user that it is signed in as.
func (k *socket) member(channelData string) (*broadcasting.Member, error) {
	limit := k.app().Limits.PresenceUserBytes
	switch {
	case channelData != "":
		m, err := parseMember(channelData, limit)
		if errors.As(err, new(memberSizeError)) {
			k.state.counters.hit(limitMemberBytes)
		}
		return m, err
	case k.user == nil || k.user.ofCRM:
		return nil, errors.New("channel_data is missing: a presence channel needs it, unless the connection is signed in")
	}
	if size := memberBytes(&k.user.Member); size > limit {
		k.state.counters.hit(limitMemberBytes)
		return nil, fmt.Errorf("user_data: id and user_info have %d bytes, at most %d are allowed in a presence channel", size, limit)
	}
	return &k.user.Member, nil
}
