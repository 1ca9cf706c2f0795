package models_test

import (
	"slices"
	"strings"
	"testing"

	"chatcast/models"
	"chatcast/models/testdb"
)

// TestListsOfChatsUseIndexes checks how the databases read each list: none reads all chats
// of the table or sorts all chats of the line, except a search without other conditions,
// which must look at each name.
func TestListsOfChatsUseIndexes(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		fillWithChats(t, store, 20_000)
		uses := map[string][]string{ // each has the order of the list, or finds few
			"newest": {"chats_recent"}, "next page": {"chats_recent"}, "closed": {"chats_status"}, "own chats": {"chats_responsible"},
			"nobody's": {"chats_nobodys", "chats_responsible"}, "unread": {"chats_unread"}, "rare tag": {"chat_tags_tag"},
			"only mine": {"chats_nobodys", "chats_responsible"}, "common tag": {"chats_recent", "chats_names"},
		}
		if !store.Postgres() {
			uses["no hit"] = []string{"COVERING INDEX chats_names"}
		}
		for what, f := range chatLists() {
			plan, err := store.ExplainChats(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			reads := strings.Contains(plan, "Seq Scan on chats") || strings.Contains(plan, "SCAN c\n") || strings.Contains(plan, "SCAN chats\n")
			used := uses[what] == nil || slices.ContainsFunc(uses[what], func(index string) bool { return strings.Contains(plan, index) })
			if !used || reads && what != "no hit" {
				t.Errorf("%s does not use one of %v alone:\n%s", what, uses[what], plan)
			}
			rows, err := store.Read(t.Context()).Chats(f)
			if err != nil || f.Search != "" && strings.Contains(what, "no hit") != (len(rows) == 0) || f.Search == "" && len(rows) == 0 {
				t.Errorf("%s: %d chats, %v", what, len(rows), err)
			}
		}
	})
}
