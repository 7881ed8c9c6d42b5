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

// markKeys holds the keys of the marks.
var markKeys = [...]struct {
	name string
	mark marks
}{
	{"Records", markRecords},
	{"records", markFirehoseRecords},
	{"detail", markDetail},
	{"detail-type", markDetailType},
	{"messageType", markMessageType},
	{"logEvents", markLogEvents},
	{"Message", markSNSMessage},
	{"Type", markSNSType},
	{"body", markBody},
	{"Body", markSQSBody},
	{"CloudTrailEvent", markCloudTrailEvent},
	{"message", markMessage},
	{"log", markLog},
	{"event", markEvent},
	{"event.original", markEventOriginal},
	{"payload", markPayload},
	{"digestS3Object", markDigest},
	{"digestEndTime", markDigest},
	{"s3Bucket", markS3Bucket},
	{"s3ObjectKey", markS3ObjectKey},
	{"insightDetails", markInsight},
	{"Event", markTestEvent},
	{"data", markData},
	{"kinesis", markKinesis},
	{"Sns", markSNS},
	{"Messages", markMessages},
	{"Events", markLookupEvents},
	{"awslogs", markAWSLogs},
}

// has reports whether all of the marks in want are there.
func (m marks) has(want marks) bool { return m&want == want }
