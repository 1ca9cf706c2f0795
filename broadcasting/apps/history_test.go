package apps_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"chatcast/broadcasting/apps"
)

func TestHistoryOf(t *testing.T) {
	for _, c := range []struct {
		pattern   string
		yes, no   string
		otherwise []string
	}{
		{"orders", "orders", "orders-1", nil},
		{"private-orders.*", "private-orders.7", "presence-orders.7", []string{"private-orders."}},
		{"*", "anything", "", nil},
		{"*-orders", "private-orders", "private-orders.7", []string{"-orders"}},
		{"a*b*c", "aXbYbZc", "acb", []string{"abc", "abbc"}},
		{"ab*ba", "abba", "aba", nil},
		{"a**c", "ac", "a", []string{"abc"}},
	} {
		rules, err := apps.ParseHistory([]apps.History{{Channels: c.pattern, Retention: "1h"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range append(c.otherwise, c.yes) {
			if keep, _ := rules.Of(name); keep != time.Hour {
				t.Errorf("%s does not keep %s", c.pattern, name)
			}
		}
		if keep, _ := rules.Of(c.no); c.no != "" && keep != 0 {
			t.Errorf("%s keeps %s", c.pattern, c.no)
		}
	}
	rules, err := apps.ParseHistory([]apps.History{{Channels: "private-a*", Retention: "1h", Signed: true}, {Channels: "private-*", Retention: "2h"}})
	if err != nil {
		t.Fatal(err)
	}
	if keep, signed := rules.Of("private-ab"); keep != time.Hour || !signed {
		t.Errorf("the first rule does not win: %s, %v", keep, signed)
	}
	if keep, signed := rules.Of("private-b"); keep != 2*time.Hour || signed {
		t.Errorf("the second rule: %s, %v", keep, signed)
	}
	if keep, _ := apps.Histories(nil).Of("private-b"); keep != 0 {
		t.Error("no rule keeps events")
	}
	if _, err := apps.ParseHistory([]apps.History{{Channels: "a", Retention: "soon"}}); err == nil || !strings.Contains(err.Error(), "history[0].retention") {
		t.Error(err)
	}
}

func TestCheckHistory(t *testing.T) {
	rules := func(list ...apps.History) apps.App { return shop(func(a *apps.App) { a.History = list }) }
	const unknown, duration = "no channel's name has", "from 1m to 2160h"
	for _, c := range []struct {
		app         apps.App
		field, says string
	}{
		{rules(apps.History{Channels: "*", Retention: "1m"}, apps.History{Channels: strings.Repeat("a", 200), Retention: "2160h", Signed: true}), "", ""},
		{rules(apps.History{Retention: "1h"}), "history[0].channels", "1 to 200 bytes"},
		{rules(apps.History{Channels: strings.Repeat("a", 201), Retention: "1h"}), "history[0].channels", "1 to 200 bytes"},
		{rules(apps.History{Channels: "a b", Retention: "1h"}), "history[0].channels", unknown},
		{rules(apps.History{Channels: "ü", Retention: "1h"}), "history[0].channels", unknown},
		{rules(apps.History{Channels: "a\xff", Retention: "1h"}), "history[0].channels", unknown},
		{rules(apps.History{Channels: "a"}), "history[0].retention", duration},
		{rules(apps.History{Channels: "a", Retention: "24"}), "history[0].retention", duration},
		{rules(apps.History{Channels: "a", Retention: "59s"}), "history[0].retention", duration},
		{rules(apps.History{Channels: "a", Retention: "2161h"}), "history[0].retention", duration},
		{rules(slices.Repeat([]apps.History{{Channels: "a", Retention: "1h"}}, 33)...), "history", "at most 32"},
	} {
		found := c.app.Check()
		if c.field == "" {
			if len(found) > 0 {
				t.Errorf("%v", found)
			}
			continue
		}
		if len(found) != 1 || found[0].Field != c.field || !strings.Contains(found[0].Message, c.says) {
			t.Errorf("%v, want %s: %s", found, c.field, c.says)
		}
	}
}
