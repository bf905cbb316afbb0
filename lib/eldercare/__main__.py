from eldercare.app.cli import main

raise SystemExit(main())
