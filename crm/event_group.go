package crm

// EventChatGroup tells that a group of a line's account has changed.
const EventChatGroup = "chatGroup"

// Types of chatGroup.
const (
	GroupJoin        = "join"   // the account is in the group now
	GroupLeave       = "leave"  // the account has left, or was removed
	GroupDelete      = "delete" // the group is over
	GroupAdd         = "add"    // other members
	GroupRemove      = "remove"
	GroupPromote     = "promote"
	GroupDemote      = "demote"
	GroupName        = "name"
	GroupDescription = "description"
	GroupAnnounce    = "announce"
	GroupLocked      = "locked"
	GroupEphemeral   = "ephemeral"
	GroupPicture     = "picture"
	GroupInvitation  = "link" // the link by which people join is another one
)

// ChatGroupItem is the item of chatGroup.
type ChatGroupItem struct {
	Type    string        `json:"type"`
	Chat    ChatRef       `json:"chat"`
	Group   *GroupCard    `json:"group"`   // afterwards; null: not known
	Members []GroupMember `json:"members"` // whom it happened to; empty for what is no change of members
	By      *Author       `json:"by"`      // who did it outside; null: not known, or an employee did it here
	Time    int64         `json:"time"`    // unix seconds
	FromApp *AppRef       `json:"fromApp"`
	Edited  *IDRef        `json:"edited"`
}

// GroupCard is a group as chatGroup shows it.
type GroupCard struct {
	Name        string  `json:"name"`
	Description string  `json:"description"`
	Announce    bool    `json:"announce"`
	Locked      bool    `json:"locked"`
	Ephemeral   int64   `json:"ephemeral"`
	Size        int     `json:"size"`
	Role        *string `json:"role"` // of the line's account; null: it is not in the group
	// Of a group that the account has joined, as far as the messenger told of it. Members
	// is absent for a group of more than maxTold.
	OwnerID   *string       `json:"ownerId,omitempty"`
	CreatedAt int64         `json:"createdAt,omitempty"` // unix seconds
	Members   []GroupMember `json:"members,omitempty"`
}

// maxTold is how many members of a group an event lists.
const maxTold = 256
