package cloudtrail

// marks is the set of top-level keys of envelopes and of other AWS objects that an object has. A mark
// says that the key is there, nothing of its value.
type marks uint32

// The marks, each named after its key.
const (
	markRecords         marks = 1 << iota // Records
	markFirehoseRecords                   // records
	markDetail                            // detail
	markDetailType                        // detail-type
	markMessageType                       // messageType
	markLogEvents                         // logEvents
	markSNSMessage                        // Message
	markSNSType                           // Type
	markBody                              // body
	markSQSBody                           // Body
	markCloudTrailEvent                   // CloudTrailEvent
	markMessage                           // message
	markLog                               // log
	markEvent                             // event
	markEventOriginal                     // event.original
	markPayload                           // payload
	markDigest                            // digestS3Object, digestEndTime
	markS3Bucket                          // s3Bucket
	markS3ObjectKey                       // s3ObjectKey
	markInsight                           // insightDetails
	markTestEvent                         // Event (s3:TestEvent)
	markData                              // data
	markKinesis                           // kinesis
	markSNS                               // Sns
	markMessages                          // Messages
	markLookupEvents                      // Events
	markAWSLogs                           // awslogs
)

// markNames holds the keys that markOf knows.
var markNames = [...]string{
	"Records", "records", "detail", "detail-type", "messageType", "logEvents", "Message", "Type",
	"body", "Body", "CloudTrailEvent", "message", "log", "event", "event.original", "payload",
	"digestS3Object", "digestEndTime", "s3Bucket", "s3ObjectKey", "insightDetails", "Event", "data", "kinesis",
	"Sns", "Messages", "Events", "awslogs",
}

// has reports whether all of the marks in want are there.
func (m marks) has(want marks) bool { return m&want == want }

// markOf returns the mark of a key, decoded, or 0.
func markOf(key string) marks {
	switch key {
	case "Records":
		return markRecords
	case "records":
		return markFirehoseRecords
	case "detail":
		return markDetail
	case "detail-type":
		return markDetailType
	case "messageType":
		return markMessageType
	case "logEvents":
		return markLogEvents
	case "Message":
		return markSNSMessage
	case "Type":
		return markSNSType
	case "body":
		return markBody
	case "Body":
		return markSQSBody
	case "CloudTrailEvent":
		return markCloudTrailEvent
	case "message":
		return markMessage
	case "log":
		return markLog
	case "event":
		return markEvent
	case "event.original":
		return markEventOriginal
	}
	return rareMarkOf(key)
}

// rareMarkOf is markOf for the keys of what is recognized and passed.
func rareMarkOf(key string) marks {
	switch key {
	case "payload":
		return markPayload
	case "digestS3Object", "digestEndTime":
		return markDigest
	case "s3Bucket":
		return markS3Bucket
	case "s3ObjectKey":
		return markS3ObjectKey
	case "insightDetails":
		return markInsight
	case "Event":
		return markTestEvent
	case "data":
		return markData
	case "kinesis":
		return markKinesis
	case "Sns":
		return markSNS
	case "Messages":
		return markMessages
	case "Events":
		return markLookupEvents
	case "awslogs":
		return markAWSLogs
	}
	return 0
}
