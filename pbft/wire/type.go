package wire

import "strconv"

// Type names a kind of message. Its number stands in every frame and in every signed statement.
type Type uint8

// The message types. 0 is no type. 12 is kept for body, which nothing sends yet.
const (
	TypeRequest       Type = 1
	TypePrePrepare    Type = 2
	TypePrepare       Type = 3
	TypeCommit        Type = 4
	TypeCheckpoint    Type = 5
	TypeSuspect       Type = 6
	TypeViewChange    Type = 7
	TypeNewView       Type = 8
	TypeHeartbeat     Type = 9
	TypeReply         Type = 10
	TypeStatus        Type = 11
	TypeCertifiedBody Type = 13
	TypeFetch         Type = 14
	TypeData          Type = 15
	TypeStableNotice  Type = 16
	TypeInquire       Type = 17
	TypeReport        Type = 18
	TypeQuery         Type = 19
	TypeQueryReply    Type = 20
	TypeAttach        Type = 21
	TypeHeld          Type = 22
	TypeHeldBy        Type = 23
	TypeRecover       Type = 24
	TypeFetchSlots    Type = 25
	TypeSlots         Type = 26
	TypeFetchState    Type = 27
	TypeAttached      Type = 28
	TypeWatch         Type = 40
	TypeWatchTaken    Type = 41
	TypeChanges       Type = 42
	TypeProgress      Type = 43
	TypeAttest        Type = 29
	TypeAttestation   Type = 30
	TypeProve         Type = 31
	TypeProof         Type = 32
)

var typeNames = [...]string{
	TypeRequest:       "request",
	TypePrePrepare:    "pre-prepare",
	TypePrepare:       "prepare",
	TypeCommit:        "commit",
	TypeCheckpoint:    "checkpoint",
	TypeSuspect:       "suspect",
	TypeViewChange:    "view-change",
	TypeNewView:       "new-view",
	TypeHeartbeat:     "heartbeat",
	TypeReply:         "reply",
	TypeStatus:        "status",
	TypeCertifiedBody: "certified-body",
	TypeFetch:         "fetch",
	TypeStableNotice:  "stable-notice",
	TypeInquire:       "inquire",
	TypeReport:        "report",
	TypeQuery:         "query",
	TypeQueryReply:    "query-reply",
	TypeAttach:        "attach",
	TypeData:          "data",
	TypeHeld:          "held",
	TypeHeldBy:        "held-by",
	TypeRecover:       "recover",
	TypeFetchSlots:    "fetch-slots",
	TypeSlots:         "slots",
	TypeFetchState:    "fetch-state",
	TypeAttached:      "attached",
	TypeWatch:         "watch",
	TypeWatchTaken:    "watch-taken",
	TypeChanges:       "changes",
	TypeProgress:      "progress",
	TypeAttest:        "attest",
	TypeAttestation:   "attestation",
	TypeProve:         "prove",
	TypeProof:         "proof",
}

// String returns the name that logs, scenarios and counters use.
func (t Type) String() string {
	if int(t) < len(typeNames) && typeNames[t] != "" {
		return typeNames[t]
	}
	return "type(" + strconv.Itoa(int(t)) + ")"
}

// ParseType returns the type with this name.
func ParseType(name string) (Type, bool) {
	for t, n := range typeNames {
		if n == name && n != "" {
			return Type(t), true
		}
	}
	return 0, false
}

// TypeOf returns the type of a message, 0 for nil.
func TypeOf(m Message) Type {
	switch m.(type) {
	case *Request:
		return TypeRequest
	case *PrePrepare:
		return TypePrePrepare
	case *Prepare:
		return TypePrepare
	case *Commit:
		return TypeCommit
	case *Checkpoint:
		return TypeCheckpoint
	case *Suspect:
		return TypeSuspect
	case *ViewChange:
		return TypeViewChange
	case *NewView:
		return TypeNewView
	case *Heartbeat:
		return TypeHeartbeat
	case *Reply:
		return TypeReply
	case *Status:
		return TypeStatus
	case *CertifiedBody:
		return TypeCertifiedBody
	case *Fetch:
		return TypeFetch
	case *StableNotice:
		return TypeStableNotice
	case *Inquire:
		return TypeInquire
	case *Report:
		return TypeReport
	case *Query:
		return TypeQuery
	case *QueryReply:
		return TypeQueryReply
	case *Attach:
		return TypeAttach
	case *Data:
		return TypeData
	case *Held:
		return TypeHeld
	case *HeldBy:
		return TypeHeldBy
	case *Recover:
		return TypeRecover
	case *FetchSlots:
		return TypeFetchSlots
	case *Slots:
		return TypeSlots
	case *FetchState:
		return TypeFetchState
	case *Attached:
		return TypeAttached
	case *Watch:
		return TypeWatch
	case *WatchTaken:
		return TypeWatchTaken
	case *Changes:
		return TypeChanges
	case *Progress:
		return TypeProgress
	case *Attest:
		return TypeAttest
	case *Attestation:
		return TypeAttestation
	case *Prove:
		return TypeProve
	case *Proof:
		return TypeProof
	}
	return 0
}
