package cloudtrail

import "fmt"

// sampleEvent is one made-up event in CloudTrail's own key order.
const sampleEvent = `{"eventVersion":"1.09","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:example-user",` +
	`"arn":"arn:aws:sts::111122223333:assumed-role/example-role/example-user","accountId":"111122223333",` +
	`"accessKeyId":"ASIAEXAMPLE","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLE",` +
	`"arn":"arn:aws:iam::111122223333:role/example-role","accountId":"111122223333","userName":"example-role"},` +
	`"attributes":{"creationDate":"2026-01-02T03:04:05Z","mfaAuthenticated":"false"}}},` +
	`"eventTime":"2026-01-02T03:10:00Z","eventSource":"ec2.amazonaws.com","eventName":"RunInstances",` +
	`"awsRegion":"us-east-1","sourceIPAddress":"192.0.2.7","userAgent":"aws-cli/2.15.0 exec-env/\"test\" Ünï",` +
	`"errorCode":"Client.UnauthorizedOperation","errorMessage":"You are not authorized.",` +
	`"requestParameters":{"instancesSet":{"items":[{"imageId":"ami-0abcdef1234567890","minCount":1,"maxCount":2.5e0}]},` +
	`"blockDeviceMapping":{},"tags":[],"monitoring":{"enabled":false},"awsRegion":"eu-central-1","readOnly":true},` +
	`"responseElements":null,"requestID":"11111111-2222-3333-4444-555555555555",` +
	`"eventID":"aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee","readOnly":false,"eventType":"AwsApiCall",` +
	`"managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management",` +
	`"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256",` +
	`"clientProvidedHostHeader":"ec2.us-east-1.amazonaws.com"}}`

// sampleEvents returns made-up events of several services and identities, of the sizes that real ones have.
func sampleEvents() []string {
	identities := []string{
		`{"type":"IAMUser","principalId":"AIDAEXAMPLE","arn":"arn:aws:iam::111122223333:user/alice","accountId":"111122223333",` +
			`"accessKeyId":"AKIAEXAMPLE","userName":"alice"}`,
		`{"type":"AWSService","invokedBy":"config.amazonaws.com"}`,
		`{"type":"AssumedRole","principalId":"AROAEXAMPLE:session","arn":"arn:aws:sts::111122223333:assumed-role/deploy/session",` +
			`"accountId":"111122223333","accessKeyId":"ASIAEXAMPLE","sessionContext":{"sessionIssuer":{"type":"Role",` +
			`"principalId":"AROAEXAMPLE","arn":"arn:aws:iam::111122223333:role/deploy","accountId":"111122223333",` +
			`"userName":"deploy"},"webIdFederationData":{},"attributes":{"creationDate":"2026-01-02T03:04:05Z",` +
			`"mfaAuthenticated":"false"}}}`,
	}
	calls := [][3]string{
		{"s3", "GetBucketAcl", `{"bucketName":"example-bucket-1","Host":"example-bucket-1.s3.us-east-1.amazonaws.com","acl":""}`},
		{"ec2", "DescribeInstances", `{"instancesSet":{"items":[{"instanceId":"i-0123456789abcdef0"}]},"filterSet":{}}`},
		{"sts", "AssumeRole", `{"roleArn":"arn:aws:iam::111122223333:role/deploy","roleSessionName":"session","durationSeconds":3600}`},
		{"kms", "Decrypt", `{"encryptionContext":{"aws:s3:arn":"arn:aws:s3:::example-bucket-1"},"encryptionAlgorithm":"SYMMETRIC_DEFAULT"}`},
		{"iam", "ListRoles", `null`},
	}
	events := []string{sampleEvent}
	for i := range 60 {
		id, call := identities[i%len(identities)], calls[i%len(calls)]
		extra := ""
		if i%7 == 0 {
			extra = `"errorCode":"AccessDenied","errorMessage":"User is not authorized to perform this call",`
		}
		events = append(events, fmt.Sprintf(`{"eventVersion":"1.08","userIdentity":%s,"eventTime":"2026-01-02T03:%02d:00Z",`+
			`"eventSource":"%s.amazonaws.com","eventName":"%s","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.%d",`+
			`"userAgent":"aws-sdk-java/1.12.488 Linux/5.4.247 OpenJDK_64-Bit_Server_VM/25.372-b08 java/1.8.0_372 vendor/Example",`+
			`%s"requestParameters":%s,"responseElements":null,"additionalEventData":{"SignatureVersion":"SigV4",`+
			`"CipherSuite":"ECDHE-RSA-AES128-GCM-SHA256","bytesTransferredIn":0,"AuthenticationMethod":"AuthHeader",`+
			`"bytesTransferredOut":%d},"requestID":"REQUEST%08d","eventID":"aaaaaaaa-bbbb-cccc-dddd-%012d","readOnly":%t,`+
			`"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management",`+
			`"tlsDetails":{"tlsVersion":"TLSv1.2","cipherSuite":"ECDHE-RSA-AES128-GCM-SHA256",`+
			`"clientProvidedHostHeader":"%s.us-east-1.amazonaws.com"}}`,
			id, i, call[0], call[1], i, extra, call[2], i*37, i, i, i%5 != 0, call[0]))
	}
	return events
}
