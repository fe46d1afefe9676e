# What ci/release links Mac programs against: of each framework its name and what the program
# calls, as `ld` told when it was not there. Sourced by ci/release.
framework Security A \
    _SecCertificateCopySubjectSummary _SecCertificateCreateWithData _SecCopyErrorMessageString \
    _SecPolicyCreateSSL _SecTrustCreateWithCertificates _SecTrustEvaluateWithError \
    _SecTrustSetAnchorCertificates _SecTrustSetAnchorCertificatesOnly _SecTrustSetOCSPResponse \
    _SecTrustSetVerifyDate
framework CoreFoundation A \
    _CFArrayCreate _CFDataCreate _CFDateCreate _CFErrorCopyDescription _CFErrorGetCode _CFRelease \
    _CFStringCreateWithBytes _CFStringGetBytes _CFStringGetCStringPtr _CFStringGetLength \
    _kCFAbsoluteTimeIntervalSince1970 _kCFAllocatorDefault _kCFTypeArrayCallBacks
framework SystemConfiguration A
framework Foundation C
