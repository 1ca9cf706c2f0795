package content

// asides holds the kinds that say something about another message, when they could not
// be opened. The rules know the others by their types.
var asides = map[string]bool{
	SubtypeVote: true, "pollUpdateMessage": true, "encReactionMessage": true, "encEventResponseMessage": true,
	"secretEncryptedMessage":   true, // an edit
	"scheduledCallEditMessage": true, "pollResultSnapshotMessage": true, "pollResultSnapshotMessageV3": true,
}

// Aside reports whether the content is of a kind that does not count as a message,
// although the rules cannot tell that from its type.
func (s *Content) Aside() bool { return s.Type == TypeUnknown && asides[s.Subtype] }
