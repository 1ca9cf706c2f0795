package pusher_test

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	sdk "github.com/pusher/pusher-http-go/v5"

	"chatcast/broadcasting"
)

func sdkClient(srv *httptest.Server) sdk.Client {
	return sdk.Client{
		AppID: "3", Key: docKey, Secret: docSecret, Host: strings.TrimPrefix(srv.URL, "http://"), HTTPClient: srv.Client(),
		EncryptionMasterKeyBase64: "zyrm8pvV2C9fJcBfhyXzvxbJVN/H7QLmbe0xJi1GhPU=",
	}
}

// Everything that the official Go library can publish, unmodified.
func TestPusherHTTPGoPublishes(t *testing.T) {
	engine := counting{new(recorder)}
	srv := httptest.NewServer(apiOf(t, engine, nil))
	defer srv.Close()
	client := sdkClient(srv)
	event := func(channel, except string) broadcasting.Event {
		return broadcasting.Event{App: "3", Channel: channel, Name: "e", Data: "x", Except: except}
	}
	socket, info := "1.2", "user_count,subscription_count"
	for name, test := range map[string]struct {
		call func() error
		want []broadcasting.Event
	}{
		"Trigger":      {func() error { return client.Trigger("a", "e", "x") }, []broadcasting.Event{event("a", "")}},
		"TriggerMulti": {func() error { return client.TriggerMulti([]string{"a", "b"}, "e", "x") }, []broadcasting.Event{event("a", ""), event("b", "")}},
		//lint:ignore SA1019 it is deprecated, and called by those who have it
		"TriggerExclusive": {func() error { return client.TriggerExclusive("a", "e", "x", socket) },
			[]broadcasting.Event{event("a", socket)}},
		//lint:ignore SA1019 it is deprecated, and called by those who have it
		"TriggerMultiExclusive": {func() error { return client.TriggerMultiExclusive([]string{"a", "b"}, "e", "x", socket) },
			[]broadcasting.Event{event("a", socket), event("b", socket)}},
		"TriggerWithParams": {func() error {
			got, err := client.TriggerWithParams("presence-a", "e", "x", sdk.TriggerParams{SocketID: &socket, Info: &info})
			if c := got.Channels["presence-a"]; err == nil && (*c.UserCount != 1 || *c.SubscriptionCount != 10) {
				t.Errorf("counts %+v", c)
			}
			return err
		}, []broadcasting.Event{event("presence-a", socket)}},
		"TriggerBatch": {func() error {
			got, err := client.TriggerBatch([]sdk.Event{
				{Channel: "presence-a", Name: "e", Data: "x", Info: &info}, {Channel: "b", Name: "e", Data: "x", SocketID: &socket},
			})
			if err == nil && (len(got.Batch) != 2 || *got.Batch[0].UserCount != 1 || *got.Batch[0].SubscriptionCount != 10 || got.Batch[1].UserCount != nil) {
				t.Errorf("counts %+v", got)
			}
			return err
		}, []broadcasting.Event{event("presence-a", ""), event("b", socket)}},
		"TriggerBatch without info": {func() error {
			_, err := client.TriggerBatch([]sdk.Event{{Channel: "b", Name: "e", Data: "x"}})
			return err
		}, []broadcasting.Event{event("b", "")}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := test.call(); err != nil {
				t.Fatal(err)
			}
			if got := engine.take(); !slices.Equal(got, test.want) {
				t.Errorf("published %+v, want %+v", got, test.want)
			}
		})
	}
	if _, err := client.TriggerBatch([]sdk.Event{{Channel: "private-encrypted-a", Name: "e", Data: "x"}, {Channel: "b", Name: "e", Data: "x"}}); err != nil {
		t.Fatal(err)
	}
	if got := engine.take(); len(got) != 2 || !strings.Contains(got[0].Data, "ciphertext") || got[1].Data != "x" {
		t.Errorf("published %+v", got)
	}
	if _, err := client.TriggerBatch(slices.Repeat([]sdk.Event{{Channel: "b", Name: "e", Data: "x"}}, 11)); err == nil || !strings.Contains(err.Error(), "it has 11 events") {
		t.Errorf("eleven: %v", err)
	}
}

// Everything that it can query.
func TestPusherHTTPGoAsks(t *testing.T) {
	srv := httptest.NewServer(apiOf(t, crowd(t), nil))
	defer srv.Close()
	client := sdkClient(srv)
	prefix, users, both := "presence-", "user_count", "user_count,subscription_count"

	all, err := client.Channels(sdk.ChannelsParams{})
	if err != nil || len(all.Channels) != 6 {
		t.Errorf("all: %+v, %v", all, err)
	}
	some, err := client.Channels(sdk.ChannelsParams{FilterByPrefix: &prefix, Info: &users})
	if err != nil || len(some.Channels) != 2 || some.Channels["presence-two"].UserCount != 2 {
		t.Errorf("presence: %+v, %v", some, err)
	}
	odd := "a;b,c=d@e."
	if some, err := client.Channels(sdk.ChannelsParams{FilterByPrefix: &odd}); err != nil || len(some.Channels) != 1 {
		t.Errorf("%s: %+v, %v", odd, some, err)
	}
	if _, err := client.Channels(sdk.ChannelsParams{Info: &users}); err == nil || !strings.Contains(err.Error(), "Status Code: 400") {
		t.Errorf("users of all: %v", err)
	}

	one, err := client.Channel("presence-two", sdk.ChannelParams{Info: &both})
	if err != nil || !one.Occupied || one.UserCount != 2 || one.SubscriptionCount != 3 {
		t.Errorf("one: %+v, %v", one, err)
	}
	if one, err := client.Channel("nobody", sdk.ChannelParams{}); err != nil || one.Occupied {
		t.Errorf("nobody: %+v, %v", one, err)
	}
	if _, err := client.Channel("news", sdk.ChannelParams{Info: &users}); err == nil || !strings.Contains(err.Error(), "Status Code: 400") {
		t.Errorf("users of a public channel: %v", err)
	}

	who, err := client.GetChannelUsers("presence-two")
	if err != nil || len(who.List) != 2 || who.List[0].ID != "A;, /%?" || who.List[1].ID != "B" {
		t.Errorf("users: %+v, %v", who, err)
	}
	if _, err := client.GetChannelUsers("news"); err == nil || !strings.Contains(err.Error(), "Status Code: 400") {
		t.Errorf("users of a public channel: %v", err)
	}
}
