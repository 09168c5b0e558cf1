// Package rules has every numbered rule that code, tests and pages of documentation cite: its sentence, a file that
// implements it, and a test that fails without it.
//
// It owns the table and docs/rules.md, which `make rules` writes. It must not contain behaviour: nothing that ships
// imports it. Its tests check that every cited rule is in the table, and that the files and tests in the table exist.
package rules

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Rule is a numbered rule.
type Rule struct {
	ID   string // a group's letter and a number, such as V7 or D8.4
	Says string // what must hold, as a sentence without capital and full stop
	File string // a file that implements it, or that checks it if it is an invariant, from the root of the module
	Test string // a test of it: the folder of its package, a dot, and the name of the function
}

// group is the letter or letters before the number.
func (r *Rule) group() string { return strings.TrimRight(r.ID, ".0123456789") }

// group is the subject of the rules of one letter.
type group struct {
	letter, title string
}

// groups are in the order in which a reader of the protocol meets them.
var groups = []group{
	{"N", "The normal case (§4.2)"},
	{"C", "Clients (§4.1)"},
	{"K", "Checkpoints (§4.3)"},
	{"V", "View changes (§4.4)"},
	{"TX", "Transactions over several clusters"},
	{"T", "Timers (§4.4, §4.5.2)"},
	{"F", "The crash-fault mode: viewstamped replication from the same core"},
	{"S", "Signatures, and what comes from outside"},
	{"D", "Durability, and lost memory (D8)"},
	{"X", "Following, and state transfer"},
	{"E", "Evidence"},
	{"M", "Origin and membership"},
	{"I", "Invariants, by which runs are judged"},
}

// Sentence is the sentence of a rule, or "" if there is no rule with this ID.
func Sentence(id string) string {
	for i := range all {
		if all[i].ID == id {
			return all[i].Says
		}
	}
	return ""
}

// Explain returns the line to print below a report that begins with a rule and a colon, such as "I17: replica 1 …": the
// rule's sentence. It is "" if the report begins with no rule.
func Explain(report string) string {
	id, _, _ := strings.Cut(report, ":")
	if says := Sentence(id); says != "" {
		return id + " says: " + says + "\n"
	}
	return ""
}

// page is docs/rules.md.
func page(testFile func(test string) string) string {
	var b strings.Builder
	b.WriteString(`# Rules

Code, tests and these pages cite rules by a letter and a number: ` + "`grep -rnw V3 --include='*.go' .`" + ` finds where one is
kept and what would fail without it. A rule may need more than one file and one test; the one named here is where to
begin. [protocol.md](protocol.md) has the reasons, and n, f, Q, K, L, h, H and T; [glossary.md](glossary.md) has the words.

`)
	b.WriteString("This page is written by `make rules` from `internal/rules/rules.go`. A test fails if a rule that is cited is missing here.\n")
	for _, g := range groups {
		fmt.Fprintf(&b, "\n## %s: %s\n| | what must hold | where | shown by |\n|---|---|---|---|\n", g.letter, g.title)
		for _, r := range all {
			if r.group() == g.letter {
				fmt.Fprintf(&b, "| %s | %s | [%s](../%s) | [`%s`](../%s) |\n", r.ID, sentence(r.Says),
					r.File, r.File, r.Test[strings.LastIndexByte(r.Test, '.')+1:], testFile(r.Test))
			}
		}
	}
	return b.String()
}

// sentence is the sentence of a rule with a capital and a full stop, for a page.
func sentence(says string) string {
	first, size := utf8.DecodeRuneInString(says)
	return string(unicode.ToUpper(first)) + strings.ReplaceAll(says[size:], "*", `\*`) + "."
}

// all are the rules in the order of docs/rules.md: by group, then by number. The sentences of what a Monitor checks are
// also lines of a report, which have room for 68 columns.
var all = []Rule{
	{"N1", "a pre-prepare is accepted once for a view and sequence number, valid and in the window; one from the future waits", "pbft/normal.go", "pbft.TestPaper42_N1_WhatABackupDoesNotAccept"},
	{"N2", "prepared: a pre-prepare and Q−1 prepares of distinct backups. Committed: prepared, and Q commits", "pbft/normal.go", "pbft.TestPaper42_N2_Prepared"},
	{"N3", "nobody prepares without the batch; batches are kept three windows below h for those who follow", "pbft/normal.go", "pbft.TestN3_NoPrepareWithoutTheBody"},
	{"N4", "batches are executed in sequence order, and nulls count for checkpoints", "pbft/execute.go", "pbft.TestPaper42_N4_ExecutionFollowsTheSequence"},
	{"N5", "many sequence numbers are in flight; the more there are, the fuller a batch must be", "pbft/normal.go", "pbft.TestN5_BatchesGrowUnderLoad"},
	{"N6", "a message slightly above H, or of a later view, waits; how many may wait is bounded", "pbft/msglog/window.go", "pbft.TestN6_MessagesAboveTheWindowWait"},
	{"N7", "Q commits of one view, with the batch, suffice to execute it, in any view; they never count as prepared", "pbft/execute.go", "pbft.TestN7_ACertificateSufficesToExecute"},

	{"C1", "a session is a key and a number that rises; the highest of a key are held, and one that was evicted never comes back", "statemachine/session.go", "client.TestC1_AnExpiredSessionIsFollowedByAFreshOne"},
	{"C2", "in a session a window of numbers is in use, each executed once; its reply is kept until it is acknowledged", "statemachine/session.go", "client.TestC2_NoMoreThanTheWindowIsUnderWay"},
	{"C3", "a request without an answer goes to all; backups relay it, and time it by its name, never by its digest", "pbft/request.go", "pbft.TestC3_RequestsAreKeyedByName"},
	{"C4", "a client believes a result that f+1 distinct replicas gave alike", "internal/session/votes.go", "client.TestC4_OneReplyIsNotEnough"},
	{"C5", "one replica sends a long result whole, the others its digest; all are asked when these do not agree", "internal/session/votes.go", "client.TestC5_OneWholeResultAndDigestsSuffice"},
	{"C6", "clients take turns and have equal shares everywhere; what does not fit is answered Busy", "pbft/pool/pool.go", "pbft.TestC6_AFloodLeavesRoomForOthers"},
	{"C7", "the caller chooses: exactly once, at most once, at least once, or best effort", "internal/session/call.go", "client.TestC7_ExecutionsUnderLoss"},
	{"C9", "execution sees the operation, its place, the agreed time and the store alone; the past is read by queries, for a time", "statemachine/doc.go", "client.TestC9_ThePastIsReadAsItWas"},

	{"K1", "every K sequence numbers the state is made durable, then announced; Q equal announcements move h", "pbft/checkpoint.go", "pbft.TestPaper43_K1_StableNeedsAQuorum"},
	{"K2", "a replica whose own digest contradicts a stable one stops replying, says so, and fetches the state", "pbft/checkpoint.go", "pbft.TestK2_ADivergedReplicaStopsReplying"},
	{"K3", "a start passes over records at or below h, and concludes nothing from one that is absent", "pbft/restart.go", "pbft.TestK3_RecordsBelowTheLowWatermarkAreIgnored"},
	{"K4", "the last stable checkpoint is served while ordering stands still; older versions may then be discarded", "pbft/checkpoint.go", "pbft.TestK4_ThePreviousCheckpointIsKept"},

	{"V1", "P has a certificate for every number above h that prepared here in any earlier view, of the highest such view", "pbft/viewchange.go", "pbft.TestV1_PKeepsCertificatesOfEarlierViews"},
	{"V2", "each view change is judged by its own bytes; one bad entry voids that one", "pbft/wire/check_viewchange.go", "pbft.TestV2_TwoViewChangesForOneViewConvict"},
	{"V3", "O takes, for each number from min-s to max-s, the digest that prepared in the highest view, else null", "pbft/wire/newview.go", "pbft.TestPaper44_V3_TheComputationOfO"},
	{"V4", "every backup computes O again and takes no other; missing batches are fetched, never skipped", "pbft/newview.go", "testnet/byzantine/replica.TestV4_ABadNewViewIsFollowedByTheNextView"},
	{"V5", "view changes and new views are sent again to a replica whose status shows that it lacks them", "pbft/retransmit.go", "pbft.TestV5_WhoIsBehindIsBroughtIntoTheView"},
	{"V6", "O goes through all three phases again, and nothing is executed twice", "pbft/newview.go", "pbft.TestV6_OGoesThroughAllPhasesAboveTheOwnH"},
	{"V7", "a replica leaves a view only with f+1 suspects, and goes on voting until then", "pbft/suspect.go", "pbft.TestV7_FPlusOneSuspectsLeaveAView"},
	{"V8", "a replica that left a view never votes in it again; it follows by commit certificates", "pbft/viewchange.go", "pbft.TestV8_WhoLeftAViewFollowsByCertificates"},
	{"V9", "once messages arrive again no request waits for ever, and at most four more views are entered", "testnet/explore/fair.go", "pbft.TestRandom_SafeAndLive"},

	{"T1", "each pending request has a timer of its own, which progress on others does not reset", "pbft/timers.go", "pbft.TestT1_ProgressElsewhereDoesNotResetARequestsTimer"},
	{"T3", "timeouts go by monotonic clocks; the wall clock enters as the agreed time of a batch alone", "pbft/timers.go", "pbft.TestT3_WallClockJumpsStartNoTimer"},
	{"T4", "a primary owes nothing while the whole window is ordered, or a client of slow requests waits for its turn", "pbft/timers.go", "pbft.TestT4_AWindowThatWaitsForExecutionIsNotBlamedOnThePrimary"},
	{"T5", "once the agreed time has come for which the application waits, a batch without requests is ordered, or the primary suspected", "pbft/nulls.go", "pbft.TestT5_ThePrimaryOrdersOneBatchOnceTheTimeHasCome"},
	{"F1", "where replicas only crash nobody lies: a quorum is ⌊n/2⌋+1, and one replica's word is believed", "pbft/wire/config.go", "pbft.TestF1_QuorumsOfAClusterThatOnlyCrashes"},
	{"F2", "nobody prepares: a slot is prepared once its pre-prepare is accepted, and the commit follows in the same turn", "pbft/normal.go", "pbft.TestF2_ABackupCommitsWhatItAccepts"},
	{"F3", "one Suspect justifies a view, and one reply convinces a client; certificates stay at Q", "pbft/wire/config.go", "pbft.TestF3_OneSuspectJustifiesAView"},
	{"F4", "a replica that heard fewer than Q−1 others within its timeout restarts its timers", "pbft/timers.go", "pbft.TestF4_WhoeverWasCutOffBlamesNobody"},
	{"F5", "the fault model is part of the digest under every signature, of the journal and of the fingerprint", "internal/cluster/config.go", "internal/cluster.TestF5_TheFaultModelIsPartOfTheIdentity"},
	{"F6", "a commit that names another digest is answered with the own pre-prepare, so that an equivocating primary is proven", "pbft/normal.go", "pbft.TestF6_ACommitForAnotherDigestShowsThePrePrepare"},
	{"F7", "a replica whose disk is lost waits for Q others, since that is outside the model", "pbft/amnesia/amnesiac.go", "pbft.TestF7_ALostDiskNeedsAQuorumOfOthers"},

	{"S1", "one rule judges every signature, alone or in a batch: ZIP-215, with keys that are canonical and not of small order", "crypto/verify.go", "crypto.TestS1_TorsionDoesNotSplitSingleAndBatch"},
	{"S2", "signatures are verified before the core sees a message; a source that sent a false one is verified alone", "crypto/verify.go", "crypto.TestS2_ASourceThatSpoiledABatchSpoilsNoOther"},
	{"S3", "distinct members are counted, in nested certificates too; a verified claim is not verified again", "crypto/verify.go", "crypto.TestS3_TheCacheCannotBePoisoned"},
	{"S4", "what comes from outside never panics, is measured before room is made for it, and is bounded wherever it is kept", "pbft/retransmit.go", "internal/node.TestS4_RubbishIsCountedAndChangesNothing"},

	{"D0", "nothing left or was executed before it was durable", "pbft/driver/perform.go", "pbft/driver.TestD0_EverythingWaitsForOneAppendWhateverTheOrderOfEffects"},
	{"D1", "a prepare rests on a durable pre-prepare and its batch", "pbft/normal.go", "pbft.TestD1_ThePrePrepareIsDurableBeforeThePrepare"},
	{"D2", "a commit rests on a durable prepared certificate", "pbft/normal.go", "pbft.TestD2_TheCertificateIsDurableBeforeTheCommit"},
	{"D3", "a view change is durable before it leaves: a restart does not vote in the view that was left", "pbft/viewchange.go", "pbft.TestD3_AViewThatWasLeftStaysLeft"},
	{"D4", "votes in a view rest on its durable new view", "pbft/newview.go", "pbft.TestD4_TheNewViewIsDurableBeforeItsVotes"},
	{"D5", "a checkpoint rests on a durable state, and a start trusts no other", "internal/replica/verify.go", "pbft.TestD5_ACheckpointFollowsTheSnapshot"},
	{"D6", "a write or sync that fails stops the process at once, with an error; nothing of that turn leaves", "internal/node/loop.go", "pbft/driver.TestD6_AFailedAppendIsTheLastThingAReplicaDoes"},
	{"D7", "after a restart votes are repeated byte for byte, and a second one for the same place is refused", "pbft/driver/guard.go", "pbft/driver.TestD7_AfterACrashAtAnyPointNoVoteIsContradicted"},
	{"D8", "a replica that may have forgotten what it signed recovers before it votes (D8.1 to D8.14)", "pbft/wire/journal.go", "internal/node.TestD8_AReplicaThatMayHaveForgottenComesBack"},
	{"D8.1", "a replica that knows that it forgot, and is silent, counts as crashed; one that does not know it counts as a liar", "pbft/wire/messages.go", "pbft.TestRandom_WhoForgetsComesBack"},
	{"D8.2", "a first start draws a random life; a file beside the key and every segment of the journal name it", "internal/replica/life.go", "internal/replica.TestD8_2_AFirstStartMayEndAnywhere"},
	{"D8.3", "a replica whose journal is missing, rotten or of another life may have forgotten; it writes nothing before D8.6", "internal/replica/open.go", "internal/replica.TestD8_3_WhatAStartMakesOfWhatItFinds"},
	{"D8.4", "a replica that starts asks all others what they hold of its signatures; they answer from their journals at once", "pbft/held.go", "pbft.TestD8_4_AnAnswerShowsWhatTheAskerSigned"},
	{"D8.5", "a journal that lacks a statement its replica signed is an old copy", "pbft/held.go", "pbft.TestD8_5_AForgottenStatementOfEveryKindIsFound"},
	{"D8.6", "R is L above the highest number that n−f whole others prove, V* one above their highest view", "pbft/amnesia/amnesiac.go", "pbft.TestD8_6_RecoveryNeedsAnswersOfAllButFWholeOthers"},
	{"D8.7", "a replica that forgot does not vote until h reaches R, and never in a view below V*", "pbft/viewchange.go", "pbft.TestD8_7_ASilentBackupVotesNothing"},
	{"D8.8", "a replica that forgot votes again from the first view after h ≥ R, and then sends the view change that it owes", "pbft/silence.go", "pbft.TestD8_8_ItJoinsAViewChangeThatItMissed"},
	{"D8.9", "a replica that forgot asks for nulls while h < R; an idle primary orders them, within a bound", "pbft/nulls.go", "pbft.TestD8_9_AnIdlePrimaryOrdersNullsUpToRAndNoFurther"},
	{"D8.10", "two view changes for one view convict only if their stable checkpoints are less than L apart", "pbft/wire/evidence.go", "pbft.TestD8_10_ASecondViewChangeConvictsOnlyWithinAWindow"},
	{"D8.11", "a replica suspects a view by its own timer only if the view was active here, or Q view changes for it are here", "pbft/newview.go", "pbft.TestD8_11_NobodySuspectsAViewThatWasNeitherActiveNorJustified"},
	{"D8.12", "with fewer than n−f whole others nobody serves and nothing is written; each minute it is said who lost data", "internal/replica/asking.go", "internal/replica.TestD8_12_ItSaysWhatItWaitsFor"},
	{"D8.13", "old copies of all disks look like a power cut, so what is restored is a cluster with an id of its own", "pbft/wire/config.go", "internal/cluster.TestInit_AClusterAfterAnotherTakesOverWhatItsStateRestsOn"},
	{"D8.14", "with optimistic durability a replica that stopped uncleanly does not vote until h reaches its journal's h + L", "pbft/silence.go", "pbft.TestD8_14_AStartAfterAnUncleanStopIsSilentForAWindow"},
	{"D9", "a journal segment begins with an anchor, which replaces the older ones; a torn tail is normal, other damage is rot", "pbft/anchor.go", "pbft.TestD9_AnAnchorRestoresWhatMatters"},

	{"X0", "a batch and its certificate are served from the journal when memory has let go of them", "internal/replica/donor.go", "checkpoint/journal.TestX0_ReadFindsWhatTheFilesHold"},
	{"X1", "a transfer begins when a stable checkpoint lies ahead and the batches up to it cannot be had", "pbft/transfer.go", "pbft.TestX1_ItBeginsWhenNobodyHoldsTheNextBatch"},
	{"X2", "a donor pins a stable checkpoint, its tree and its values, and goes on; pins end by themselves", "internal/replica/pins.go", "internal/replica.TestX2_ADonorServesWhatItHas"},
	{"X3", "all that is fetched is hashed up to the certified root before it is used; a bad answer changes the donor", "checkpoint/doc.go", "checkpoint/merkle.TestX3_ASubtreeOfOtherLeavesIsRefused"},
	{"X4", "what differs is found against the store as the disk has it, and only that is fetched", "checkpoint/transfer/receiver.go", "checkpoint/transfer.TestX4_OnlyWhatChangedIsFetched"},
	{"X5", "nothing is written below versions that the store holds; a store that is of no use is put aside", "checkpoint/store/renew.go", "checkpoint/store.TestX5_NothingIsWrittenBelowVersionsThatTheStoreHolds"},
	{"X6", "one durable record makes the fetched state the replica's; before it the old position counts", "pbft/transfer.go", "pbft.TestX6_OneRecordSwitches"},
	{"X7", "a transfer that a stop interrupts goes on with what it has written", "internal/replica/mover.go", "checkpoint/transfer.TestX7_AnInterruptedTransferGoesOnToANewerState"},
	{"X8", "during a transfer a replica votes above h, executes and proposes nothing, and suspects nobody for its own lag", "pbft/transfer.go", "pbft.TestX8_ItOrdersNothingAndSuspectsNobody"},
	{"X9", "after a transfer a replica follows by certificates; left behind again, it fetches only what changed", "internal/replica/mover.go", "pbft.TestX9_AfterTheSwitchItFollows"},

	{"E1", "evidence holds, and names no correct replica", "pbft/wire/evidence.go", "testnet/check.TestE1_EvidenceHoldsAndNeverAgainstACorrectReplica"},
	{"M1", "a restored cluster begins at one checkpoint that its configuration names, stable without signatures", "pbft/wire/config.go", "pbft.TestM1_AClusterGoesOnFromItsOrigin"},
	{"M10", "a request's signature names the cluster and no epoch; all other signatures name the epoch", "pbft/wire/sign.go", "pbft/wire.TestSignable_DiffersByClusterEpochAndType"},

	{"TX1", "a transaction's identifier is a hash of all of it; it has one outcome per group, for ever", "statemachine/commit/transaction.go", "statemachine/commit.TestTX1_AnyChangeIsAnotherTransaction"},
	{"TX2", "administrators alone register other groups, and receipts of exactly the registered epoch count", "statemachine/commit/group.go", "statemachine/commit.TestTX2_RotatedOutKeysAreRefused"},
	{"TX3", "a participant prepares with locks, refuses for good, or records nothing; an existing record answers itself", "statemachine/commit/apply.go", "statemachine/commit.TestTX3_RefusedWithoutARecord"},
	{"TX4", "written keys are locked exclusively, compared ones shared, amounts held back; no clock releases them", "statemachine/commit/lock.go", "statemachine/commit.TestTX4_AParticipantDoesNotTimeOutAlone"},
	{"TX5", "a receipt has signatures of f+1 distinct members under one fact of one transaction, and no sequence number", "statemachine/commit/fact.go", "statemachine/commit.TestTX5_ReceiptsThatProveNothing"},
	{"TX6", "the coordinator's first record decides: all prepared, one refused, or the deadline has passed", "statemachine/commit/apply.go", "statemachine/commit.TestTX6_EveryParticipantMustBePrepared"},
	{"TX7", "only the coordinator's receipt changes a prepared record, once", "statemachine/commit/apply.go", "statemachine/commit.TestTX7_TheDriverDecidesNothing"},
	{"TX8", "finished records may be dropped after the deadline, and commits at the coordinator never", "statemachine/commit/record.go", "statemachine/commit.TestTX8_CommitRecordsAreNeverDropped"},
	{"TX9", "the deadline counts at the coordinator; elsewhere clocks affect usefulness and never safety", "statemachine/commit/apply.go", "statemachine/commit.TestTX9_ClocksTenMinutesApart"},
	{"TX10", "any client may have a transaction decided after its deadline, and carry the receipt", "statemachine/commit/apply.go", "statemachine/commit.TestTX10_AnotherClientResolvesAfterEachStep"},
	{"TX11", "signatures are verified during execution by the one rule, with keys of the registry, within the request's budget", "statemachine/txn.go", "statemachine/commit.TestTX11_SmallOrderSigners"},
	{"TX12", "who signed prepared and refused, or committed and aborted, for one transaction is convicted", "statemachine/commit/fact.go", "statemachine/commit.TestTX12_BothFactsConvict"},

	{"I1", "one batch for each sequence number, on every correct replica", "testnet/check/order.go", "testnet/check.TestI1_OneDigestASequenceNumber"},
	{"I2", "no correct replica's votes contradict each other, across its crash", "testnet/check/votes.go", "testnet/check.TestI2_NoTwoVotesContradict"},
	{"I3", "every request was executed once, however often it was sent", "testnet/check/accepted.go", "testnet/check.TestI3_ARequestExecutedTwiceIsNoticed"},
	{"I4", "reads and writes have one order that explains what clients saw", "testnet/check/linearizable.go", "testnet/check.TestI4_HistoriesThatNoOrderExplains"},
	{"I5", "equal states at equal checkpoints", "testnet/check/order.go", "testnet/check.TestI5_OneStateACheckpoint"},
	{"I6", "watermarks only rise, and pre-prepares lie between them", "testnet/check/standing.go", "testnet/check.TestMonitor_NoticesEveryBreakOfACheckpoint"},
	{"I7", "views only rise, across its crash", "testnet/check/standing.go", "testnet/check.TestI7_AJournalThatWentBackIsNoticed"},
	{"I8", "no sequence number was left out", "testnet/check/order.go", "testnet/check.TestMonitor_NoticesEveryBreakOfTheNormalCase"},
	{"I9", "every acknowledged write survived", "testnet/check/accepted.go", "testnet/check.TestI9_WhatIsAcknowledgedIsHeldAndSurvives"},
	{"I10", "what was believed had valid signatures", "testnet/check/certificates.go", "testnet/check.TestI10_SignaturesAreVerifiedAgain"},
	{"I11", "every certificate counts a quorum of distinct replicas", "testnet/check/certificates.go", "testnet/check.TestI11_CertificatesAreCountedAgain"},
	{"I12", "clients accepted what was executed, vouched for by f+1 replicas", "testnet/check/accepted.go", "testnet/check.TestI12_AClientBelievesEnoughAndWhatWasExecuted"},
	{"I13", "what was transferred was certified", "testnet/check/transfers.go", "testnet/check.TestI13_EveryBreakOfATransferIsNoticed"},
	{"I14", "what a replica holds is bounded", "testnet/check/standing.go", "testnet/check.TestI14_WhatAReplicaHoldsIsBounded"},
	{"I15", "after the last fault it committed, caught up and came to rest", "testnet/check/settled.go", "testnet/check.TestI15_ARunRecovers"},
	{"I16", "every executed request was signed by its client", "testnet/check/order.go", "testnet/check.TestI16_OnlyWhatAClientSignedIsExecuted"},
	{"I17", "no new view dropped what had committed", "testnet/check/newviews.go", "testnet/check.TestI17_ALateCommitIsHeldAgainstEarlierNewViews"},
	{"I18", "the run was real: enough work, and every fault happened", "testnet/play/judge.go", "testnet/check.TestI18_ARunMustBeReal"},
	{"I19", "a replica that forgot its votes kept silent, and contradicted none", "testnet/check/amnesia.go", "testnet/check.TestI19_EveryBreakOfSilenceIsNoticed"},
	{"I20", "each transaction over several clusters had one outcome, in one order; nothing stayed locked, and no money was made or lost", "testnet/across/judge.go", "testnet/across.TestI20_EveryBreakIsNoticed"},
}
