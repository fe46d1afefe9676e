framework Security A
framework CoreFoundation A
framework SystemConfiguration A
