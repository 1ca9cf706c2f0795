package crm

// Names of the events about quick responses.
const (
	EventQuickResponseList = "quickResponseList"
	EventQuickResponse     = "quickResponse"
)

// Types of quickResponseList and quickResponse, besides TypeDestroy.
const (
	TypeCreate = "create"
	TypeEdit   = "edit"
)

// QuickListItem is the item of quickResponseList when the list was created or
// edited, or when the user got access to it. Type is create or edit.
type QuickListItem struct {
	Type string        `json:"type"`
	List QuickListData `json:"quickResponseList"`
}

// QuickListDeletedItem is the item of quickResponseList with type destroy: the list
// was deleted, or the user no longer sees it.
type QuickListDeletedItem struct {
	Type string `json:"type"`
	List IDRef  `json:"quickResponseList"`
}

// QuickResponseItem is the item of quickResponse. Type is create or edit.
type QuickResponseItem struct {
	Type     string            `json:"type"`
	List     IDRef             `json:"quickResponseList"`
	Response QuickResponseData `json:"quickResponse"`
}

// QuickResponseDeletedItem is the item of quickResponse with type destroy.
type QuickResponseDeletedItem struct {
	Type     string `json:"type"`
	List     IDRef  `json:"quickResponseList"`
	Response IDRef  `json:"quickResponse"`
}

// QuickListData is a list as events and answers show it.
type QuickListData struct {
	ID     int64             `json:"id"`
	Name   string            `json:"name"`
	Sort   int64             `json:"sort"`
	Access []QuickAccessData `json:"access"` // the creator first, then by user id
}

// QuickAccessData is one user's access to a list. UserID is a string and
// Permission r or w, as in ChatApp's examples.
type QuickAccessData struct {
	UserID     string `json:"userId"`
	Email      string `json:"email"`
	Permission string `json:"permission"`
}

// QuickResponseData is a prepared answer as events and answers show it.
type QuickResponseData struct {
	ID       int64  `json:"id"`
	Name     string `json:"name"`
	Sort     int64  `json:"sort"`
	Parent   *int64 `json:"parent"` // another response of the list; null: at the top
	Text     string `json:"text"`
	Keywords string `json:"keywords"` // separated by spaces
	EnableAI bool   `json:"enableAI"`
}
